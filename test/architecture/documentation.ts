/**
 * Finds public exports without a summary, and functions that throw a code without documenting it. Takes a TypeScript program and its entry
 * files, and returns one sentence per fault.
 *
 * The check follows calls, but not callbacks, and not `try` blocks with a `catch`. It only sees literal codes, and all codes are literals.
 */
import ts from 'typescript'

/** Returns every undocumented export, every thrown code without a `@throws`, and every `@throws` with an unknown code. */
export function findUndocumented(
  program: ts.Program,
  entries: readonly string[],
  codes: ReadonlySet<string>,
): string[] {
  const checker = program.getTypeChecker()
  const thrownBy = createThrowFinder(checker, codes)
  const faults = entries.flatMap((entry) =>
    exportsOf(program, entry).flatMap((symbol) => [
      ...summaryFaults(symbol, checker),
      ...functionsOf(symbol).flatMap((declared) => throwFaults(symbol.name, declared, thrownBy(declared))),
    ]),
  )
  return [...new Set([...faults, ...unknownCodeFaults(program, codes)])]
}

/** Returns the members of a union of string literals. */
export function codesOf(program: ts.Program, file: string, typeName: string): ReadonlySet<string> {
  const checker = program.getTypeChecker()
  const alias = program
    .getSourceFile(file)
    ?.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === typeName)
  const type = alias && checker.getTypeAtLocation(alias)
  const literals = type?.isUnion() ? type.types : []
  return new Set(literals.flatMap((literal) => (literal.isStringLiteral() ? [literal.value] : [])))
}

function exportsOf(program: ts.Program, entry: string): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) throw new Error(`${entry} is not a module`)
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
}

function summaryFaults(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  // The fields of an event's data keep GoValid's names, and their interface states the source.
  const needsFieldSummaries = (symbol.flags & ts.SymbolFlags.Interface) !== 0 && !symbol.name.endsWith('Data')
  const fields = needsFieldSummaries ? [...(symbol.members?.values() ?? [])].filter(isNamedField) : []
  const undocumented = [symbol, ...fields].filter((each) => !hasSummary(each, checker))
  return undocumented.map((each) => `${each === symbol ? '' : `${symbol.name}.`}${each.name} has no summary`)
}

function hasSummary(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== ''
}

function isNamedField(symbol: ts.Symbol): boolean {
  return (symbol.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method)) !== 0
}

type FunctionNode = ts.FunctionDeclaration | ts.FunctionExpression | ts.ArrowFunction | ts.MethodDeclaration

function functionsOf(symbol: ts.Symbol): FunctionNode[] {
  return (symbol.declarations ?? []).flatMap((declared): FunctionNode[] => {
    if (ts.isFunctionDeclaration(declared)) return declared.body ? [declared] : []
    const value = ts.isVariableDeclaration(declared) ? declared.initializer : undefined
    return value && (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) ? [value] : []
  })
}

function throwFaults(name: string, declared: FunctionNode, thrown: ReadonlySet<string>): string[] {
  const documented = documentedCodes(declared)
  return [...thrown].filter((code) => !documented.has(code)).map((code) => `${name} throws ${code} without a @throws`)
}

/** Returns every code in the `@throws` tags of a function and its overloads, and of the functions that these tags link to. */
function documentedCodes(node: ts.Node): ReadonlySet<string> {
  const tags = [node, ...siblingsNamed(node, nameOf(node))].flatMap(throwsTags)
  const linked = tags.flatMap(linksInTag).filter((name) => name !== nameOf(node))
  const fromLinked = linked.flatMap((name) => siblingsNamed(node, name).flatMap(throwsTags))
  return new Set([...tags, ...fromLinked].flatMap(codesInTag))
}

function nameOf(node: ts.Node): string | undefined {
  return ts.isFunctionDeclaration(node) ? node.name?.text : undefined
}

/** Returns the functions of the same file with a given name: overloads, and the target of a `{@link …}`. */
function siblingsNamed(node: ts.Node, name: string | undefined): ts.Node[] {
  const { statements } = node.getSourceFile()
  return statements.filter((other) => ts.isFunctionDeclaration(other) && other.name?.text === name)
}

/** Returns the texts of a node's `@throws` tags. They are read from the comment, because the compiler parses a `{@link X}` after `@throws` as a type. */
function throwsTags(node: ts.Node): string[] {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  return comments.flatMap(
    (comment) => comment.getText().match(/^[ \t*/]*@throws\b[\s\S]*?(?=^[ \t]*\* @|\*\/)/gm) ?? [],
  )
}

/** Returns the codes in a tag. A code is a lowercase word, or several joined with underscores, in backquotes. */
function codesInTag(tag: string): string[] {
  return [...tag.matchAll(/`([a-z0-9]+(?:_[a-z0-9]+)*)`/g)].map(([, code = '']) => code)
}

function linksInTag(tag: string): string[] {
  return [...tag.matchAll(/\{@link (\w+)\}/g)].map(([, name = '']) => name)
}

function unknownCodeFaults(program: ts.Program, codes: ReadonlySet<string>): string[] {
  const faults: string[] = []
  const visit = (node: ts.Node): void => {
    const unknown = throwsTags(node)
      .flatMap(codesInTag)
      .filter((code) => code.includes('_') && !codes.has(code))
    faults.push(...unknown.map((code) => `a @throws names ${code}, which is not a code`))
    ts.forEachChild(node, visit)
  }
  const sources = program.getSourceFiles().filter((file) => !file.isDeclarationFile)
  for (const file of sources) visit(file)
  return faults
}

function createThrowFinder(
  checker: ts.TypeChecker,
  codes: ReadonlySet<string>,
): (node: FunctionNode) => ReadonlySet<string> {
  const known = new Map<ts.Node, Set<string>>()
  return function thrownBy(node) {
    const cached = known.get(node)
    if (cached) return cached
    const found = new Set<string>()
    known.set(node, found)
    if (node.body) visit(node.body)
    return found

    function visit(inner: ts.Node): void {
      if (ts.isFunctionLike(inner) || ts.isClassLike(inner) || ts.isVoidExpression(inner)) return
      if (ts.isTryStatement(inner) && inner.catchClause)
        return void [inner.catchClause.block, inner.finallyBlock].forEach(visitIf)
      if (ts.isThrowStatement(inner) || isReject(inner)) addLiterals(inner)
      else if (ts.isCallExpression(inner)) for (const code of thrownByCall(inner)) found.add(code)
      ts.forEachChild(inner, visit)
    }
    function visitIf(inner: ts.Node | undefined): void {
      if (inner) visit(inner)
    }
    function addLiterals(inner: ts.Node): void {
      if (ts.isStringLiteralLike(inner) && codes.has(inner.text)) found.add(inner.text)
      ts.forEachChild(inner, addLiterals)
    }
    function thrownByCall(call: ts.CallExpression): ReadonlySet<string> {
      const declared = checker.getResolvedSignature(call)?.declaration
      const callable = declared !== undefined && !ts.isJSDocSignature(declared) && isFunctionNode(declared)
      return callable ? thrownBy(declared) : new Set()
    }
  }
}

function isReject(node: ts.Node): boolean {
  return ts.isCallExpression(node) && node.expression.getText() === 'Promise.reject'
}

function isFunctionNode(node: ts.Node): node is FunctionNode {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node)
  )
}

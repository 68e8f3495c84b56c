// Writes the software bill of materials of the published package, as CycloneDX: `npm sbom` says what the package depends on (nothing), and
// the build what is inside it. `npm run sbom`, or with `-- --out FILE`. dist/ must be built. The same sources give the same bytes.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readBundled } from './bundled-packages.mjs'

const { values } = parseArgs({ options: { out: { type: 'string' } } })

const omitted = ['dev', 'optional', 'peer'].flatMap((kind) => ['--omit', kind])
const printed = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...omitted])
// When it was made, and by which number, would be all that differs between two of them.
const { serialNumber: _number, metadata, components, dependencies, ...bom } = JSON.parse(printed.toString())
const { timestamp: _timestamp, component, ...about } = metadata
const reference = component['bom-ref']

const bundled = readBundled('cli').map(({ name, version, license }) => ({
  'bom-ref': `${name}@${version}`,
  type: 'library',
  name,
  version,
  scope: 'required',
  purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
  properties: [{ name: 'govalid-webhooks:bundled-in', value: 'dist/cli.js' }],
  licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }],
}))

const sbom = {
  ...bom,
  // npm takes the name from the folder; it is the package's.
  metadata: { ...about, component: { ...component, name: reference.slice(0, reference.lastIndexOf('@')) } },
  components: [...components, ...bundled],
  dependencies: [
    ...dependencies.map((/** @type {{ ref: string, dependsOn: string[] }} */ one) =>
      one.ref === reference
        ? { ...one, dependsOn: [...one.dependsOn, ...bundled.map((each) => each['bom-ref'])] }
        : one,
    ),
    ...bundled.map((each) => ({ ref: each['bom-ref'], dependsOn: [] })),
  ],
}

const text = `${JSON.stringify(sbom, null, 2)}\n`
if (values.out === undefined) process.stdout.write(text)
else writeFileSync(values.out, text)

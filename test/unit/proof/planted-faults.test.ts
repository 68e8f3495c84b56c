/** Every planted fault must fit today's code and tests. `npm run proof -- faults` plants the faults and runs the tests. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { createPlanter } from '../../proof/planted-faults/plant-fault.mjs'
import { FAULTS, type Fault } from '../../proof/planted-faults.mjs'

const plantFault = createPlanter(resolve('src'))

describe.each(FAULTS.map((fault) => [fault.name, fault] as const))('the planted fault "%s"', (_, fault) => {
  it('changes one place of the sources', () => {
    const { original, planted } = plantFault(fault)
    expect(planted).not.toBe(original)
  })

  it('names an existing test that must find it', () => {
    const title = fault.template ?? fault.red
    const isInFile = readFileSync(resolve('test', fault.tests), 'utf8').includes(title)
    expect(isInFile, `test/${fault.tests} must contain the title: ${title}`).toBe(true)
  })
})

test('planted faults have different names', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
})

describe('a fault is refused', () => {
  const fault: Fault = { name: 'a fault', at: 'decide', find: 'switch (how)', replace: '', tests: '', red: '' }

  it.each<[string, Partial<Fault>, string]>([
    ['whose function was renamed', { at: 'conclude' }, "conclude must be declared, and isn't"],
    ['whose function isn’t in the named file', { file: 'finish' }, "decide must be declared in finish.ts, and isn't"],
    ['whose name several functions have', { at: 'runHandlers' }, 'runHandlers must be declared once'],
    ['whose function changed', { find: 'switch (end)' }, 'and contains it 0 times'],
    ['that fits several places of its function', { find: /quarantined/ }, 'must contain /quarantined/ once'],
    ['that leaves a syntax error', { find: 'switch (how)', replace: 'switch' }, 'must have valid syntax'],
    ['whose body belongs to no function', { at: 'RESPONSES', body: 'return 1' }, 'must be a function with a body'],
  ])('%s', (_, changes, message) => {
    expect(() => plantFault({ ...fault, ...changes })).toThrow(message)
  })
})

test('a fault can replace the body of a function', () => {
  const { planted } = plantFault({ name: 'a fault', at: 'isPromiseLike', body: 'return false', tests: '', red: '' })
  expect(planted).toMatch(/isPromiseLike<T>\([^{]*\{ return false \}/)
})

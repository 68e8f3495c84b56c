// Writes the software bill of materials (SBOM) of the published package in CycloneDX. `npm sbom` lists the dependencies (none), and the build
// lists the bundled packages. Usage: `npm run sbom [-- --out FILE]`. Needs dist/. The same sources always give the same bytes.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readBundled } from './bundled-packages.mjs'

const { values } = parseArgs({ options: { out: { type: 'string' } } })

const omitted = ['dev', 'optional', 'peer'].flatMap((kind) => ['--omit', kind])
const printed = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...omitted])
// The time and the serial number would differ between two SBOMs of the same sources.
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
  // npm uses the name of the folder, which may differ from the name of the package.
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

/**
 * After `npm install PACKAGE` changed package-lock.json: adds the packages of other platforms that the registry at hand does not have.
 *
 *   npm run lock
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { missingPlatforms, type Packages } from './tools/lockfile.ts'

const file = resolve(import.meta.dirname, '../package-lock.json')
const lockfile = JSON.parse(readFileSync(file, 'utf8')) as { packages: Packages }
const missing = missingPlatforms(lockfile.packages)
const sorted = Object.entries({ ...lockfile.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'))
if (Object.keys(missing).length > 0) {
  writeFileSync(file, `${JSON.stringify({ ...lockfile, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
}
console.log(`${Object.keys(missing).length} packages of other platforms added`)

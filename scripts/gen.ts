/**
 * Makes the pages of docs/reference from the code.
 *
 *   npm run gen              writes them
 *   npm run gen -- --check   changes nothing; fails and names the pages that are stale
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PAGES } from './gen/pages.ts'

const root = resolve(import.meta.dirname, '..')
const checkOnly = process.argv.includes('--check')

for (const [path, page] of Object.entries(PAGES)) {
  const file = resolve(root, path)
  const text = await page()
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  if (checkOnly) {
    console.error(`${path} is stale: run \`npm run gen\` and commit it`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(`wrote ${path}`)
  }
}

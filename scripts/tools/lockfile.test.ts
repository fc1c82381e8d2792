import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const lockfile = readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')

interface Locked {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
}
const packages = Object.entries((JSON.parse(lockfile) as { packages: Record<string, Locked> }).packages)

test('the lockfile names no registry: whoever installs uses their own', () => {
  const addresses = packages.filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/i.test(resolved))

  expect(addresses.map(([name]) => name)).toEqual([])
  expect(lockfile).not.toMatch(/https?:\/\/[^"]*(registry|npm|artifact)[^"]*\.tgz/i)
})

test('every package from outside is held by its checksum', () => {
  const outside = packages.filter(([path, { link }]) => path.includes('node_modules/') && link !== true)

  expect(outside.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([])
})

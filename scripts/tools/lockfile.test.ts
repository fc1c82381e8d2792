import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { missingPlatforms, type Packages, platformOf } from './lockfile.ts'

const text = readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8')
const lockfile = (JSON.parse(text) as { packages: Packages }).packages
const packages = Object.entries(lockfile)

test('the lockfile names no registry: whoever installs uses their own', () => {
  const addresses = packages.filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/i.test(resolved))

  expect(addresses.map(([name]) => name)).toEqual([])
  expect(text).not.toMatch(/https?:\/\/[^"]*(registry|npm|artifact)[^"]*\.tgz/i)
})

test('every package that this platform installs is held by its checksum', () => {
  const here = packages.filter(([path, { link, os, cpu, libc }]) => {
    const elsewhere = (os && !os.includes('linux')) || (cpu && !cpu.includes('x64')) || libc?.includes('musl')
    return path.includes('node_modules/') && link !== true && !elsewhere
  })

  expect(here.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([])
})

test('the lockfile is whole on every platform, or `npm ci` would refuse it (npm run lock)', () => {
  expect(Object.keys(missingPlatforms(lockfile))).toEqual([])
})

test('what a package names and the lockfile lacks is added, with its platform', () => {
  const locked: Packages = {
    '': {},
    'node_modules/tool': {
      version: '1.2.3',
      dev: true,
      optionalDependencies: { '@tool/linux-x64-gnu': '1.2.3', '@tool/darwin-arm64': '1.2.3' },
    },
    'node_modules/@tool/linux-x64-gnu': { version: '1.2.3' },
  }

  expect(missingPlatforms(locked)).toEqual({
    'node_modules/@tool/darwin-arm64': { version: '1.2.3', os: ['darwin'], cpu: ['arm64'], dev: true, optional: true },
  })
})

test('a name says its platform', () => {
  expect(platformOf('@oxc-parser/binding-linux-riscv64-musl')).toEqual({ os: ['linux'], cpu: ['riscv64'], libc: ['musl'] })
  expect(() => platformOf('fsevents')).toThrow('which platform')
})

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { breach, breaches, LAW, ROOMS, specifiersOf } from './import-law.ts'

const root = resolve(import.meta.dirname, '../..')
const manifest = (path: string): Record<string, unknown> => JSON.parse(readFileSync(join(root, path), 'utf8'))
const inLaw = (room: string, other: string): boolean => (LAW[room as keyof typeof LAW] as readonly string[]).includes(other)

test('no file breaks the import law', () => {
  expect(breaches(root)).toEqual([])
})

test('every workspace stands in the law', () => {
  expect([...(manifest('package.json')['workspaces'] as string[]), 'scripts'].sort()).toEqual([...ROOMS].sort())
})

test.each(ROOMS.filter((room) => room !== 'scripts'))('the package.json of %s depends on no room that the law forbids', (room) => {
  const dependencies = Object.keys((manifest(`${room}/package.json`)['dependencies'] ?? {}) as object)
  const rooms = dependencies.flatMap((name) => (name.startsWith('@postern/') ? [name.slice('@postern/'.length)] : []))

  expect(rooms.filter((other) => !inLaw(room, other))).toEqual([])
})

test('imports are found in every form', () => {
  const text = `
    import a from 'one'
    import type { B } from "two"
    import 'three'
    export * from 'four'
    const c = await import('five')
    import {
      d,
    } from 'six'`

  expect(specifiersOf(text)).toEqual(['one', 'two', 'three', 'four', 'five', 'six'])
})

test('a forbidden room is refused, by name and by path', () => {
  expect(breach('engine/plan.ts', '@postern/service/main.ts')).toContain('engine may not use service')
  expect(breach('engine/copy/plan.ts', '../../service/main.ts')).toContain('reaches into service')
  expect(breach('engine/plan.ts', '../node/main.ts')).toContain('reaches into node')
})

test('the service sees no connector behind the catalogue', () => {
  expect(breach('service/stores/store-service.ts', '@postern/connectors/postgres/session.ts')).toContain('catalogue only')
  expect(breach('service/stores/store-service.ts', '@postern/connectors/registry.ts')).toBeUndefined()
})

test('protocol takes zod and nothing else', () => {
  expect(breach('protocol/ids.ts', 'zod')).toBeUndefined()
  expect(breach('protocol/ids.ts', 'node:fs')).toContain('pure')
  expect(breach('protocol/ids.ts', 'pg')).toContain('pure')
})

test('only tests may use the testkit, and what stands in a folder for tests', () => {
  expect(breach('service/testing/local-service.ts', '@postern/testkit/postgres.ts')).toBeUndefined()
  expect(breach('service/service.ts', './testing/local-service.ts')).toContain('for tests only')
  expect(breach('connectors/postgres/contract.real.test.ts', '@postern/testkit/postgres.ts')).toBeUndefined()
  expect(breach('connectors/postgres/session.ts', '@postern/testkit/postgres.ts')).toContain('may not use testkit')
})

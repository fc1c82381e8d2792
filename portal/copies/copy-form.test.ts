import { CopyRequest } from '@postern/protocol/api/runs.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import { expect, test } from 'vitest'
import { changed, proposedTarget } from './copy-change.ts'
import { type CopyForm, EMPTY, formOf, inBrackets, nameOf, requestsOf } from './copy-form.ts'
import { isSound, problemsOf } from './copy-problems.ts'

const kind = (
  name: string,
  sinkModes: StoreKindView['can']['sinkModes'],
  properties: StoreKindView['config']['properties'] = {},
): StoreKindView => ({
  kind: name,
  title: name,
  can: { query: true, wire: null, source: true, sinkModes },
  config: { type: 'object', properties, required: [], additionalProperties: false },
  secrets: [],
})
const POSTGRES = kind('postgres', ['append', 'overwrite', 'upsert'])
const FILES = kind('files', ['append', 'overwrite'], {
  path: { type: 'string' },
  header: { type: 'boolean', copy: true },
  rowGroupRows: { type: 'integer', minimum: 2_048, copy: true },
})
const KINDS = { source: FILES, sink: POSTGRES }
const kindsOf = ({ source, sink }: CopyForm) => ({ source: ofStore(source), sink: ofStore(sink) })
const ofStore = (name: string) => (name === 'lake' ? FILES : name === '' ? undefined : POSTGRES)
const SHOP: CopyForm = { ...EMPTY, source: 'shop', sink: 'crm', from: ['public.orders'], to: 'orders' }

test('what is left out is left to the service', () => {
  const [request, ...more] = requestsOf(SHOP, KINDS)

  expect(more).toEqual([])
  expect(request).toEqual({
    ...{ source: 'shop', sink: 'crm', from: 'public.orders', to: 'orders', mode: 'append', verify: 'counts', guarantee: 'exactly-once' },
    retries: 3,
  })
})

test('every option of a copy can be said, and is read back from its run', () => {
  const all: CopyForm = {
    ...{ source: 'lake', takes: 'names', from: ['in/*.csv'], query: '', sink: 'crm', to: 'orders', mode: 'upsert', key: ['id', 'line'] },
    ...{ partitionBy: ['year'], watermark: 'changed', verify: 'checksum', guarantee: 'at-least-once', skips: true, skipLimit: 5 },
    ...{ rejectStore: 'lake', rejectPath: 'rejects/', parts: 8, splitBy: 'id', read: { header: 'no' }, write: {}, parallel: 2 },
    ...{ rowsPerSecond: 100, megabytesPerSecond: 1.5, timeoutMinutes: 2, retries: 0, node: 'berlin' },
  }

  const [request] = requestsOf(all, KINDS)

  expect(request).toEqual({
    ...{ source: 'lake', sink: 'crm', from: 'in/*.csv', to: 'orders', mode: 'upsert', key: ['id', 'line'], watermark: 'changed' },
    partitionBy: ['year'],
    ...{ verify: 'checksum', guarantee: 'at-least-once', skipIncompatibleRows: { limit: 5, rejects: { store: 'lake', path: 'rejects/' } } },
    ...{ parts: 8, splitBy: 'id', read: { header: false }, parallel: 2, rowsPerSecond: 100, bytesPerSecond: 1_500_000 },
    ...{ timeoutMs: 120_000, retries: 0, node: 'berlin' },
  })
  expect(Object.keys(request ?? {}).sort()).toEqual(
    Object.keys(CopyRequest.shape)
      .filter((name) => name !== 'write')
      .sort(),
  )
  expect(request && formOf(request)).toEqual(all)
})

test('several tables are a copy each, into places of their names', () => {
  const requests = requestsOf({ ...SHOP, from: ['public.orders', 'public."Order Lines"'], to: 'copy_{name}' }, KINDS)

  expect(requests.map(({ from, to }) => [from, to])).toEqual([
    ['public.orders', 'copy_orders'],
    ['public."Order Lines"', 'copy_Order Lines'],
  ])
})

test('a query is put in brackets, once', () => {
  expect(inBrackets(' select 1; ')).toBe('(select 1)')
  expect(inBrackets("(select ')')")).toBe("(select ')')")
  expect(inBrackets('(select 1) union (select 2)')).toBe('((select 1) union (select 2))')
  expect(formOf({ source: 'a', sink: 'b', from: '(select 1)', to: 'c' })).toMatchObject({ takes: 'query', query: 'select 1', from: [] })
})

test.each([
  ['orders', 'orders'],
  ['public.orders', 'orders'],
  ['"Sales"."A.B"', 'A.B'],
  ['out/orders.csv.gz', 'orders'],
  ['orders.parquet', 'orders'],
  ['in/2026/*.csv', '2026'],
  ['orders/', 'orders'],
  ['*.csv', 'files'],
])('%s is called %s', (from, name) => expect(nameOf(from)).toBe(name))

test('a target is proposed until one is typed', () => {
  const chosen = changed(changed(EMPTY, { source: 'shop', from: ['public.orders'] }, kindsOf), { sink: 'lake' }, kindsOf)
  expect(chosen.to).toBe('orders.parquet')
  expect(changed(chosen, { from: ['public.orders', 'public.lines'] }, kindsOf).to).toBe('{name}.parquet')

  const typed = changed(chosen, { to: 'mine.csv' }, kindsOf)
  expect(changed(typed, { from: ['public.lines'] }, kindsOf).to).toBe('mine.csv')
  expect(changed(chosen, { partitionBy: ['year'] }, kindsOf).to).toBe('orders.parquet/')
  expect(proposedTarget({ ...SHOP, takes: 'query' }, { source: POSTGRES, sink: POSTGRES })).toBe('result')
})

test('another store lets go of what it cannot do and of what was chosen of the one before', () => {
  const form = { ...SHOP, mode: 'upsert', key: ['id'], takes: 'query', query: 'select 1' } as const

  expect(changed(form, { sink: 'lake' }, kindsOf)).toMatchObject({ mode: 'append', key: [] })
  expect(changed({ ...SHOP, sink: 'lake', partitionBy: ['year'] }, { sink: 'crm' }, kindsOf).partitionBy).toEqual([])
  expect(changed(form, { source: 'lake' }, kindsOf)).toMatchObject({ takes: 'names', from: [] })
})

test('what cannot be is said at its field', () => {
  expect(Object.keys(problemsOf(EMPTY, KINDS).fields)).toEqual(['source', 'sink', 'from', 'to'])
  expect(problemsOf({ ...SHOP, partitionBy: ['year'], to: 'orders.parquet' }, KINDS).fields.to).toContain('end it with')
  expect(isSound(problemsOf(SHOP, KINDS))).toBe(true)
  const bad = { ...SHOP, mode: 'upsert', from: ['a', 'b'], parts: 0, retries: 1.5, read: { rowGroupRows: 5 }, skipLimit: 0 } as const
  expect(problemsOf(bad, KINDS)).toMatchObject({
    fields: { key: expect.any(String), to: expect.stringContaining('{name}'), parts: 'At least 1', retries: 'A whole number' },
    read: { rowGroupRows: 'At least 2048' },
  })
  expect(problemsOf(bad, KINDS).fields.skipLimit).toBeUndefined()
  expect(problemsOf({ ...SHOP, mode: 'overwrite', watermark: 'id' }, KINDS).fields.watermark).toContain('append or upsert')
  expect(problemsOf({ ...SHOP, from: ['a.t', 'b.t'], to: '{name}' }, KINDS).fields.from).toContain('same name')
})

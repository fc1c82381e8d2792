/** Paths and hosts that mean another place on each machine: two nodes that see different folders under one path, as two machines would. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { testDatabase } from './postgres.ts'

let cluster: Cluster
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-places-'))
  cluster = await Cluster.start()
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test('a folder that all nodes see is copied by all of them', async () => {
  const shared = join(folder, 'shared')
  await mkdir(shared)
  await writeFile(join(shared, 'orders.csv'), 'id,name\n1,a\n2,b\n')
  await using target = await testDatabase()
  await cluster.filesStore('shared', shared)
  await cluster.postgresStore('target', target)

  const run = await cluster.ended((await cluster.client.copy({ source: 'shared', sink: 'target', from: 'orders.csv', to: 'orders' })).id)

  expect(run.status, run.fault?.message).toBe('succeeded')
  expect(await target.query('select count(*)::int as rows from orders')).toEqual([{ rows: 2 }])
})

test('a folder that is another one on each node is refused with advice, unless the copy is pinned to one of them', async () => {
  // Leads each process to a folder of its own, as C:\\ does each machine.
  await cluster.filesStore('local', '/proc/self/cwd')
  for (const node of cluster.nodes.values()) await writeFile(join(node.cwd, 'orders.csv'), `id,name\n1,${node.name}\n`)
  await using target = await testDatabase()
  await cluster.postgresStore('into', target)
  const words = ['copy', 'local', 'into', '--from', 'orders.csv', '--to', 'orders']

  const refused = await cluster.cli(words)
  const pinned = await cluster.cli([...words, '--node', 'n2', '--json'])

  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('/proc/self/cwd of store local is another place on')
  expect(refused.stderr).toContain('--node')
  expect(pinned.code, pinned.stderr).toBe(0)
  const run = JSON.parse(pinned.stdout) as RunView
  expect(run.tasks.map(({ kind, node }) => `${kind} ${node}`)).toEqual(['plan n2', 'part n2', 'finish n2'])
  expect(await target.query('select name from orders')).toEqual([{ name: 'n2' }])
})

test('a node that is not of the gateway cannot be named', async () => {
  const refused = await cluster.cli(['copy', 'shared', 'target', '--from', 'orders.csv', '--to', 'orders', '--node', 'n9'])

  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toContain('n9')
})

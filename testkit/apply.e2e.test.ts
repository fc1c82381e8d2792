/** `postern apply`: what a file says is so afterwards, and a second time nothing is left to do. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster
let folder: TestFolder
let database: TestDatabase

beforeAll(async () => {
  folder = await testFolder()
  database = await testDatabase()
  cluster = await Cluster.start({ nodes: ['n1'] })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

const base = () => `
gateways:
  demo:
    settings: { policy: least-loaded, queueTimeoutMs: 90000 }
    nodes:
      n1: { settings: { weight: 3, labels: { site: berlin } } }
      n2: { settings: { weight: 1 } }
---
stores:
  shop:
    gateway: demo
    kind: postgres
    settings: { host: ${database.host}, port: ${database.port}, database: ${database.name}, user: ${database.user} }
    secrets: { password: { env: SHOP_PASSWORD } }
    secretsVersion: 1
    nodeLabels: { site: berlin }
    limits: { maxRows: 1000 }
  lake:
    gateway: demo
    kind: files
    settings: { path: ${folder.path} }
people:
  ann: { role: none, displayName: Ann }
groups:
  analysts: { description: Ask questions, members: [person/ann] }
grants:
  - { to: group/analysts, role: store-user, on: store/shop }
`

interface Report {
  readonly changes: readonly {
    readonly kind: string
    readonly name: string
    readonly action: string
    readonly done: boolean
    readonly once?: Record<string, string>
  }[]
  readonly created: number
  readonly changed: number
  readonly deleted: number
  readonly unchanged: number
  readonly waiting: number
}

async function apply(text: string, ...args: readonly string[]) {
  const file = join(folder.path, 'shop.yaml')
  await writeFile(file, text)
  return await cluster.cli(['apply', '-f', file, ...args], { env: { SHOP_PASSWORD: database.password } })
}

test('a dry run shows the difference and changes nothing', async () => {
  const shown = await apply(base(), '--dry-run')

  expect(shown.code, shown.stderr).toBe(0)
  expect(shown.stdout).toContain('~ gateway demo\n    settings.policy: primary-first → least-loaded')
  expect(shown.stdout).toContain('+ store shop')
  expect(shown.stdout).toContain('? node demo/n2: it has not joined yet')
  expect(shown.stdout).not.toContain(database.password)
  expect(await cluster.client.stores.list()).toEqual([])
})

test('what the file says is so; a second time nothing changes; the store answers with the credential that was sealed here', async () => {
  const first = await apply(base(), '--json')
  expect(first.code, first.stderr).toBe(0)
  const made = first.json<Report>()
  expect(made).toMatchObject({ created: 5, changed: 2, deleted: 0, waiting: 1 })
  expect(made.changes.find(({ kind }) => kind === 'person')?.once?.['password']).toMatch(/\S{8,}/)
  // The node's labels go to it with its next beat.
  const asked = () => cluster.cli(['query', 'shop', 'select 41 + 1 as n', '--format', 'json'])
  await waitFor('the store answers', asked, ({ stdout }) => stdout.includes('42'), { timeoutMs: 20_000 })
  expect((await cluster.client.gateways.get('demo')).settings).toMatchObject({ policy: 'least-loaded', queueTimeoutMs: 90000 })
  expect((await cluster.client.groups.get('analysts')).memberList).toEqual([{ who: 'person/ann', source: 'local' }])

  const second = await apply(base())

  expect(second.code, second.stderr).toBe(0)
  expect(second.stderr).toContain('Nothing has changed: 7 as the file says; 1 must wait')
})

test('only what differs is changed: a setting, a limit, a member; the version says that a secret is another one', async () => {
  const before = await cluster.client.stores.get('shop')

  const changed = await apply(
    base()
      .replace('queueTimeoutMs: 90000', 'queueTimeoutMs: 80000')
      .replace('maxRows: 1000', 'maxRows: 500')
      .replace('secretsVersion: 1', 'secretsVersion: 2')
      .replace('[person/ann]', '[]'),
  )

  expect(changed.code, changed.stderr).toBe(0)
  expect(changed.stdout).toContain('settings.queueTimeoutMs: 90000 → 80000')
  expect(changed.stdout).toContain('limits.maxRows: 1000 → 500')
  expect(changed.stdout).toContain('secrets: password → password (sealed anew)')
  expect(changed.stderr).toContain('0 created, 3 changed, 0 deleted, 4 unchanged')
  const after = await cluster.client.stores.get('shop')
  expect(after.version).toBeGreaterThan(before.version)
  expect((await cluster.client.groups.get('analysts')).memberList).toEqual([])
  // And back, by one apply.
  expect((await apply(base())).code).toBe(0)
})

test('a credential that was set by hand is not that of the file any more', async () => {
  const set = await cluster.cli(['store', 'set', 'shop', '--secret', 'password=env:PW'], { env: { PW: database.password } })
  expect(set.code, set.stderr).toBe(0)

  const again = await apply(base(), '--dry-run')

  expect(again.stdout).toContain('~ store shop')
  expect((await apply(base())).code).toBe(0)
})

test('what does not stand in the file stays, but where its kind is to be pruned', async () => {
  await cluster.client.groups.create({ name: 'old' })
  await cluster.client.stores.create({ name: 'old', gateway: 'demo', kind: 'files', settings: { path: folder.path } })

  expect((await apply(base())).stderr).toContain('Nothing has changed')
  const pruned = await apply(base(), '--prune', 'groups')

  expect(pruned.stdout).toContain('- group old')
  expect((await cluster.client.groups.list()).map(({ name }) => name)).toEqual(['analysts'])
  expect((await cluster.client.stores.list()).map(({ name }) => name)).toContain('old')
  await cluster.client.stores.delete('old')
})

test('what is wrong is said with its place in the file, before anything is changed', async () => {
  const wrongSetting = await apply(base().replace('queueTimeoutMs: 90000', 'queueTimeoutMs: 900000'))
  const noVariable = await apply(base().replace('SHOP_PASSWORD', 'NOT_THERE').replace('policy: least-loaded', 'policy: random'))
  const moved = await apply(base().replace('kind: files', 'kind: postgres'))

  expect([wrongSetting.code, wrongSetting.stderr]).toEqual([
    2,
    expect.stringMatching(/shop\.yaml:4:39: gateways\.demo\.settings\.queueTimeoutMs/),
  ])
  expect([noVariable.code, noVariable.stderr]).toEqual([2, expect.stringMatching(/shop\.yaml:14:16: password: the variable NOT_THERE/)])
  expect([moved.code, moved.stderr]).toEqual([2, expect.stringMatching(/shop\.yaml:18:3: stores\.lake is files on demo/)])
  expect((await cluster.client.gateways.get('demo')).settings.policy).toBe('least-loaded')
})

test('a refusal half-way says where, and what was made before it', async () => {
  const failed = await apply(
    `${base().replace('queueTimeoutMs: 90000', 'queueTimeoutMs: 70000')}  - { to: group/nobody, role: store-user, on: store/shop }\n`,
  )

  expect(failed.code).toBe(3)
  expect(failed.stdout).toContain('~ gateway demo')
  expect(failed.stdout).toMatch(/\+ grant .*nobody \(not done\)/)
  expect(failed.stderr).toMatch(/shop\.yaml:28:5: grant .*1 of 2 changes were made before it/)
  expect((await apply(base())).code).toBe(0)
})

test('the schema that is printed is the one that is published', async () => {
  const printed = await cluster.cli(['apply', '--schema'])

  expect(printed.stdout).toBe(await readFile(new URL('../docs/reference/apply.schema.json', import.meta.url), 'utf8'))
})

/** What bad input gets: one line that says what and where, a remedy, the right exit code, and nothing half-written. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CliResult } from './cli.ts'
import { Cluster } from './cluster.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { freePort } from './free-port.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'

const run = promisify(execFile)

let cluster: Cluster
let folder: TestFolder
let database: TestDatabase
let key: string
/** Data folder of a node of another gateway, joined and never started. */
let spare: string

beforeAll(async () => {
  folder = await testFolder()
  database = await testDatabase()
  cluster = await Cluster.start({ nodes: ['n1'] })
  key = (await cluster.client.gateways.regenerateKey(cluster.gateway, 2)).key2 ?? ''
  spare = join(folder.path, 'spare')
  const { key1 } = await cluster.client.gateways.create({ name: 'spare' })
  const joined = await cluster.cli(['node', 'join', '--url', cluster.service.url, '--key', key1, '--name', 's1', '--data', spare])
  expect(joined.code, joined.stderr).toBe(0)
  await cluster.postgresStore('shop', database)
  await cluster.filesStore('lake', folder.path)
  await database.query('create table orders as select n as id from generate_series(1, 100) n')
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

/** Exit code, one line of error, one of remedy, no stack; words that must be in it. */
function expectRefusal(result: CliResult, code: number, ...words: readonly string[]): void {
  const last = result.stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{'))
  expect(result.code, result.stderr).toBe(code)
  expect(last.at(-2), result.stderr).toMatch(/^error: \S/)
  expect(last.at(-1), result.stderr).toMatch(/^remedy: \S/)
  expect(result.stderr).not.toMatch(/\n\s+at .+:\d+:\d+/)
  for (const word of words) expect(last.at(-2)).toContain(word)
}

const joinNode = (args: readonly string[]) => cluster.cli(['node', 'join', '--name', 'other', ...args])

test('a wrong key', async () => {
  const data = join(folder.path, 'wrong-key')

  expectRefusal(await joinNode(['--url', cluster.service.url, '--key', `${key.slice(0, -4)}AAAA`, '--data', data]), 4, 'authentication key')
  expectRefusal(await joinNode(['--url', cluster.service.url, '--key', 'nonsense', '--data', data]), 4, 'authentication key')

  expect(await readdir(data).catch(() => [])).not.toContain('node.json')
})

test('a wrong URL: nobody there, somebody else there, no URL at all', async () => {
  await using other = await strangers()
  const data = join(folder.path, 'wrong-url')

  expectRefusal(await joinNode(['--url', 'http://127.0.0.1:9', '--key', key, '--data', data]), 5, '127.0.0.1:9')
  expectRefusal(await joinNode(['--url', other.url, '--key', key, '--data', data]), 5)
  expectRefusal(await joinNode(['--url', 'localhost', '--key', key, '--data', data]), 2, '--url')
  expectRefusal(await cluster.cli(['gateway', 'list'], { env: { POSTERN_URL: other.url } }), 5, other.url)
})

test('a port that is taken', async () => {
  const port = String(cluster.service.port)
  const data = join(folder.path, 'port-taken')

  expectRefusal(await cluster.cli(['service', 'start', '--data', data, '--port', port, '--database-url', database.url]), 1, port)
  expectRefusal(await cluster.cli(['node', 'start', '--data', spare, '--channel-port', port, '--console-port', '0']), 1, port)
})

test('a data folder that is in use, of another gateway, of something else, or of nobody', async () => {
  const used = cluster.node('n1').data
  const foreign = join(folder.path, 'foreign')
  const nobody = join(folder.path, 'nobody')
  await mkdir(foreign)
  await writeFile(join(foreign, 'holiday.txt'), 'not ours')

  expectRefusal(await cluster.cli(['node', 'start', '--data', used, '--channel-port', '0', '--console-port', '0']), 1, used)
  expectRefusal(await cluster.cli(['service', 'start', '--data', cluster.service.data, '--port', '0']), 1, cluster.service.data)
  expectRefusal(await joinNode(['--url', cluster.service.url, '--key', key, '--data', spare]), 1, 'another gateway')
  expectRefusal(await cluster.cli(['service', 'start', '--data', spare, '--port', '0']), 1, spare)
  expectRefusal(await cluster.cli(['node', 'start', '--data', foreign, '--channel-port', '0', '--console-port', '0']), 1, foreign)
  expectRefusal(await cluster.cli(['node', 'start', '--data', nobody, '--channel-port', '0', '--console-port', '0']), 1, nobody)

  expect(await readdir(foreign)).toEqual(['holiday.txt'])
})

test('a database that is not there', async () => {
  const port = await freePort()
  const url = `postgres://someone:verysecret@127.0.0.1:${port}/db`
  const started = await cluster.cli(['service', 'start', '--data', join(folder.path, 'no-database'), '--port', '0', '--database-url', url])
  expectRefusal(started, 5, String(port))
  expect(started.stderr).not.toContain('verysecret')

  await cluster.postgresStore('nowhere', database, { host: '127.0.0.1', port })
  expectRefusal(await cluster.cli(['store', 'test', 'nowhere']), 5, String(port))
  expectRefusal(await cluster.cli(['query', 'nowhere', 'select 1']), 5, String(port))
})

test('a wrong password', async () => {
  const words = [
    '--set',
    `host=${database.host}`,
    '--set',
    `port=${database.port}`,
    '--set',
    `database=${database.name}`,
    '--set',
    'user=postgres',
  ]
  const made = await cluster.cli(
    ['store', 'create', 'locked', '--gateway', 'demo', '--kind', 'postgres', ...words, '--secret', 'password=env:PW'],
    {
      env: { PW: 'not-the-password' },
    },
  )
  expect(made.code, made.stderr).toBe(0)

  for (const args of [
    ['store', 'test', 'locked'],
    ['query', 'locked', 'select 1'],
  ]) {
    const result = await cluster.cli(args)
    expectRefusal(result, 4, 'sign-in')
    expect(result.stderr).not.toContain('not-the-password')
  }
})

test('a table that is not there, and a statement that is none', async () => {
  expectRefusal(await cluster.cli(['query', 'shop', 'select * from nowhere']), 2, 'nowhere')
  expectRefusal(await cluster.cli(['query', 'shop', 'selec 1']), 2, 'selec')
  expectRefusal(await cluster.cli(['query', 'shop', 'select 1/(id - 100) from orders order by id']), 2, 'zero')
  expectRefusal(await cluster.cli(['copy', 'shop', 'shop', '--from', 'nowhere', '--to', 'copied']), 3, 'nowhere')
  expect(await database.query(`select 1 from pg_tables where tablename = 'copied'`)).toEqual([])
})

test('a CSV file with a broken line: the line is named, and nothing is in the target', async () => {
  const lines = Array.from({ length: 3_000 }, (_, n) => `${n},${n === 2_000 ? 'no number' : n}`)
  await writeFile(join(folder.path, 'broken.csv'), `id,value\n${lines.join('\n')}\n`)
  await writeFile(join(folder.path, 'ragged.csv'), `id,value\n1,2\n3,4,5\n6,7\n`)
  await database.query('create table numbers (id int, value int); insert into numbers values (-1, -1)')

  const broken = await cluster.cli(['copy', 'lake', 'shop', '--from', 'broken.csv', '--to', 'numbers'])
  const ragged = await cluster.cli(['copy', 'lake', 'shop', '--from', 'ragged.csv', '--to', 'numbers'])

  expectRefusal(broken, 2)
  expect(broken.stderr).toMatch(/2[,.]?00[0-9]/)
  expectRefusal(ragged, 2)
  expect(await database.query('select count(*)::int as n from numbers')).toEqual([{ n: 1 }])
})

test('a file that is not there, a path that leads out, a format that nobody knows', async () => {
  expectRefusal(await cluster.cli(['copy', 'lake', 'shop', '--from', 'missing.csv', '--to', 'missing']), 3, 'missing.csv')
  expectRefusal(await cluster.cli(['copy', 'lake', 'shop', '--from', '../etc/passwd.csv', '--to', 'stolen']), 4, '../etc')
  expectRefusal(await cluster.cli(['copy', 'shop', 'lake', '--from', 'orders', '--to', 'orders.xyz']), 2)
})

test('an unknown setting, store, gateway, node or run', async () => {
  expectRefusal(await cluster.cli(['gateway', 'set', 'demo', 'cpuLimit=3']), 2, 'cpuLimit')
  expectRefusal(await cluster.cli(['store', 'create', 's', '--gateway', 'demo', '--kind', 'files', '--set', 'folder=/x']), 2, 'folder')
  expectRefusal(await cluster.cli(['store', 'create', 's', '--gateway', 'nope', '--kind', 'files', '--set', 'path=/x']), 3, 'nope')
  expectRefusal(await cluster.cli(['query', 'nope', 'select 1']), 3, 'nope')
  expectRefusal(await cluster.cli(['copy', 'nope', 'shop', '--from', 'a', '--to', 'b']), 3, 'nope')
  expectRefusal(await cluster.cli(['node', 'show', 'demo/nope']), 3, 'nope')
  expectRefusal(await cluster.cli(['run', 'show', 'run_00000000000000000000']), 3)
  expectRefusal(await cluster.cli(['run', 'show', 'nonsense']), 2)
})

test('a disk that is full: the fault says so, and no half file is left', async (context) => {
  const disk = join(folder.path, 'small-disk')
  await mkdir(disk)
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).then(
    () => true,
    () => false,
  )
  if (!mounted) return context.skip('a small disk can be mounted only by root')
  try {
    await cluster.filesStore('small', disk)
    await database.query(
      `create table if not exists big as select n, md5(n::text) || md5((n + 1)::text) as noise from generate_series(1, 100000) n`,
    )

    const copied = await cluster.cli(['copy', 'shop', 'small', '--from', 'big', '--to', 'big.csv'])

    expectRefusal(copied, 6)
    expect(await readdir(disk)).not.toContain('big.csv')
  } finally {
    await run('umount', ['-l', disk])
  }
})

async function strangers(): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

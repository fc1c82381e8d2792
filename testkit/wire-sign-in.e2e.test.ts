/** How a node signs in to the store for a client of the wire: md5, SCRAM-SHA-256, and each way of TLS. */
import { type TestAuthority, testAuthority } from '@postern/service/testing/test-authority.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { PostgresServer } from './postgres-server.ts'
import { refusalOf, wireClient } from './wire-client.ts'

let cluster: Cluster
let authority: TestAuthority
let server: PostgresServer
let database: TestDatabase

const HBA = [
  'host all by_md5 all md5',
  'host all by_scram all scram-sha-256',
  'hostssl all by_tls all scram-sha-256',
  'host all by_tls all reject',
  'hostnossl all by_plain all scram-sha-256',
  'host all by_plain all reject',
]

beforeAll(async () => {
  authority = await testAuthority()
  // Not 127.0.0.1: verify-full must see the difference.
  const tls = await authority.issue([{ type: 'dns', value: 'localhost' }])
  server = await PostgresServer.start({ tls, hba: HBA })
  database = await testDatabase({ server })
  for (const user of ['by_scram', 'by_tls', 'by_plain']) await database.query(`create role ${user} login password 'secret of ${user}'`)
  await database.query(`set password_encryption = 'md5'; create role by_md5 login password 'secret of by_md5'`)
  cluster = await Cluster.start({ nodes: ['n1'] })
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await database?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

let stores = 0

interface Wanted {
  readonly user: string
  readonly password?: string
  readonly host?: string
  readonly sslmode?: string
  readonly sslrootcert?: string
  readonly port?: number
}

/** The name of a new store. */
async function store({ user, password = `secret of ${user}`, host = '127.0.0.1', port = server.port, ...tls }: Wanted): Promise<string> {
  stores += 1
  const name = `store-${stores}`
  const settings = { host, port, database: database.name, user, ...tls }
  await cluster.store(name, 'postgres', { settings, secrets: { password } })
  return name
}

async function signedIn(wanted: Wanted): Promise<unknown> {
  const client = await wireClient(cluster.service, { store: await store(wanted) })
  try {
    const { rows } = await client.query('select current_user as user, (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as tls')
    return rows[0]
  } finally {
    await client.end()
  }
}

const refused = async (wanted: Wanted) => refusalOf(cluster.service, { store: await store(wanted) })

test('the server keeps the passwords as each way of signing in needs them', async () => {
  const sql = `select rolname || ' ' || left(rolpassword, 3) as kept from pg_authid where rolname in ('by_md5', 'by_scram') order by 1`

  expect(await database.query(sql)).toEqual([{ kept: 'by_md5 md5' }, { kept: 'by_scram SCR' }])
})

test.each(['by_md5', 'by_scram'])('a node signs in %s', async (user) => {
  expect(await signedIn({ user, sslmode: 'disable' })).toEqual({ user, tls: false })
  expect(await signedIn({ user, sslmode: 'require' })).toEqual({ user, tls: true })
})

test.each(['by_md5', 'by_scram'])('a wrong password is told as the refusal of the store, not of the token (%s)', async (user) => {
  const said = await refused({ user, password: 'another' })

  expect(said).toMatchObject({ code: '08004', hint: expect.stringContaining('set the credential again') })
  expect(said?.message).toContain('The store refused the sign-in.')
  expect(said?.message).not.toContain('another')
})

test('by prefer it is TLS where the server has it, and none where it has not', async () => {
  await using plain = await PostgresServer.start()
  await using other = await testDatabase({ server: plain })

  expect(await signedIn({ user: 'by_tls' })).toEqual({ user: 'by_tls', tls: true })
  const name = 'plain'
  const settings = { host: plain.host, port: plain.port, database: other.name, user: plain.user }
  await cluster.store(name, 'postgres', { settings, secrets: { password: plain.password } })
  const client = await wireClient(cluster.service, { store: name })
  expect((await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows).toEqual([{ ssl: false }])
  await client.end()

  await cluster.store('must', 'postgres', { settings: { ...settings, sslmode: 'require' }, secrets: { password: plain.password } })
  expect(await refusalOf(cluster.service, { store: 'must' })).toMatchObject({ code: '08001', hint: expect.stringContaining('sslmode') })
})

test('where the server demands TLS, disable is refused by it', async () => {
  expect(await refused({ user: 'by_tls', sslmode: 'disable' })).toMatchObject({ code: '08004' })
})

test('verify-ca takes a server of the given authority, whatever its name', async () => {
  const wanted = { user: 'by_tls', sslmode: 'verify-ca', sslrootcert: authority.cert }

  expect(await signedIn(wanted)).toEqual({ user: 'by_tls', tls: true })
  expect(await signedIn({ ...wanted, host: 'localhost' })).toEqual({ user: 'by_tls', tls: true })
})

test('verify-full takes it by its own name only', async () => {
  const wanted = { user: 'by_tls', sslmode: 'verify-full', sslrootcert: authority.cert }

  expect(await signedIn({ ...wanted, host: 'localhost' })).toEqual({ user: 'by_tls', tls: true })
  const said = await refused(wanted)
  expect(said).toMatchObject({ code: '08001', hint: expect.stringContaining('verify-ca') })
  expect(said?.message).toContain('127.0.0.1')
})

test('verify-full by an address takes a certificate with that address', async () => {
  await using addressed = await PostgresServer.start({ tls: await authority.issue([{ type: 'ip', value: '127.0.0.1' }]) })
  await using other = await testDatabase({ server: addressed })
  const tls = { sslmode: 'verify-full', sslrootcert: authority.cert }
  const settings = { host: '127.0.0.1', port: addressed.port, database: other.name, user: addressed.user, ...tls }
  await cluster.store('addressed', 'postgres', { settings, secrets: { password: addressed.password } })

  expect(await refusalOf(cluster.service, { store: 'addressed' })).toBeUndefined()
  await cluster.store('named', 'postgres', { settings: { ...settings, host: 'localhost' }, secrets: { password: addressed.password } })
  expect(await refusalOf(cluster.service, { store: 'named' })).toMatchObject({ code: '08001' })
})

test.each(['require', 'verify-ca', 'verify-full'])('by %s the wrong authority is refused, with what to do', async (sslmode) => {
  const { cert } = await testAuthority('Another authority')
  const said = await refused({ user: 'by_tls', host: 'localhost', sslmode, sslrootcert: cert })

  expect(said).toMatchObject({ code: '08001', hint: expect.stringContaining('sslrootcert') })
  expect(said?.message).toContain('certificate')
})

test('without an authority verify-ca trusts only what the node trusts', async () => {
  expect(await refused({ user: 'by_tls', sslmode: 'verify-ca' })).toMatchObject({
    code: '08001',
    hint: expect.stringContaining('sslrootcert'),
  })
})

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { Secret } from '@postern/base/log.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { referenceName } from '@postern/protocol/reference.ts'
import { CertificateAuthority } from '@postern/testkit/certificates.ts'
import { KvServer } from '@postern/testkit/kv-server.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Environment } from '../calls/proxy.ts'
import { References } from './references.ts'

let folder: string
let vault: KvServer
let environment: Record<string, string>
const PATH = 'secret/data/pg'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-references-'))
  await mkdir(join(folder, 'secrets', 'deep'), { recursive: true })
  await writeFile(join(folder, 'node.json'), 'the identity of the node')
  await writeFile(join(folder, 'secrets', 'pg'), 'from a file\n')
  await writeFile(join(folder, 'secrets', 'empty'), '\n')
  await symlink('../pg', join(folder, 'secrets', 'deep', 'link'))
  await symlink('../../node.json', join(folder, 'secrets', 'deep', 'out'))
  vault = await KvServer.start()
})
afterAll(async () => {
  await vault?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  vault.sealed = false
  vault.put(PATH, { password: 'from vault', port: 5432, nested: { a: 1 } })
  environment = { VAULT_ADDR: vault.url, VAULT_TOKEN: vault.token(['secret/data/']), POSTERN_REF_PG: 'from a variable', PGPASSWORD: 'no' }
})

const references = (env: Environment = environment) =>
  new References({ environment: env, folder: join(folder, 'secrets'), nodeName: () => 'n1', clock: systemClock })

async function read(text: string, from = references(), audience: Record<string, string> = { host: 'db.internal' }): Promise<string> {
  const sealed = { [referenceName('password')]: new Secret(text), user: new Secret('as it was') }
  const secrets = await from.resolve(sealed, audience, AbortSignal.timeout(5_000))
  expect(secrets['user']?.reveal()).toBe('as it was')
  return secrets['password']?.reveal() ?? ''
}

async function fault(text: string, from = references(), audience?: Record<string, string>): Promise<string> {
  const seen = await read(text, from, audience).then(String, (cause: unknown) => cause)
  if (!(seen instanceof Fault)) throw new Error(`no fault: ${String(seen)}`)
  expect(seen.message).toContain('node n1')
  for (const secret of ['from vault', 'from a file', 'from a variable', environment['VAULT_TOKEN'] ?? ''])
    expect(JSON.stringify(seen)).not.toContain(secret)
  return `${seen.code}: ${seen.message}`
}

test('a secret is read from a variable, a file, a file behind a link, and a field in Vault', async () => {
  expect(await read('env:POSTERN_REF_PG')).toBe('from a variable')
  expect(await read('file:pg')).toBe('from a file')
  expect(await read('file:deep/link')).toBe('from a file')
  expect(await read(`vault:${PATH}#password`)).toBe('from vault')
  expect(await read(`vault:${PATH}#port`)).toBe('5432')
})

test('two fields of one secret are one request', async () => {
  vault.seen.length = 0
  const sealed = {
    [referenceName('password')]: new Secret(`vault:${PATH}#password`),
    [referenceName('user')]: new Secret(`vault:${PATH}#port`),
  }

  await references().resolve(sealed, {}, AbortSignal.timeout(5_000))

  expect(vault.seen).toEqual([`GET /v1/${PATH}`])
})

test.each([
  ['env:POSTERN_REF_NONE', /^REFERENCE_MISSING: .*env:POSTERN_REF_NONE/],
  ['env:PGPASSWORD', /^REFERENCE_INVALID/],
  ['file:none', /^REFERENCE_MISSING: .*file:none/],
  ['file:empty', /^REFERENCE_MISSING: .*is empty/],
  ['file:deep', /^REFERENCE_INVALID: .*is no file/],
  ['file:deep/out', /^REFERENCE_DENIED: .*leads out/],
  ['file:../node.json', /^REFERENCE_INVALID/],
  ['file:/etc/passwd', /^REFERENCE_INVALID/],
  [`vault:${PATH}#none`, /^REFERENCE_MISSING: .*no field none/],
  [`vault:${PATH}#nested`, /^REFERENCE_INVALID: .*nested/],
  ['vault:secret/data/none#x', /^REFERENCE_MISSING: .*secret\/data\/none/],
  ['vault:other/data/pg#password', /^VAULT_DENIED: .*HTTP 403/],
])('%s is refused with what is wrong', async (text, says) => {
  expect(await fault(text)).toMatch(says)
})

test('a Vault that is sealed, away or has deleted the secret says so', async () => {
  vault.delete(PATH)
  expect(await fault(`vault:${PATH}#password`)).toMatch(/^REFERENCE_MISSING: .*it was deleted/)
  vault.sealed = true
  expect(await fault(`vault:${PATH}#password`)).toMatch(/^REFERENCE_UNREACHABLE: .*sealed/)
  const away = references({ ...environment, VAULT_ADDR: 'http://127.0.0.1:1' })
  expect(await fault(`vault:${PATH}#password`, away)).toMatch(/^REFERENCE_UNREACHABLE: .*ECONNREFUSED/)
})

test('a node that was not told of a Vault says what is missing', async () => {
  expect(await fault(`vault:${PATH}#password`, references({}))).toMatch(/^REFERENCE_DENIED: .*VAULT_ADDR is not set/)
  expect(await fault(`vault:${PATH}#password`, references({ VAULT_ADDR: vault.url }))).toMatch(/none of VAULT_TOKEN_FILE/)
  expect(await fault(`vault:${PATH}#password`, references({ VAULT_ADDR: vault.url, VAULT_ROLE_ID: 'x' }))).toMatch(/VAULT_SECRET_ID/)
})

test('the token may be in a file, which is read anew', async () => {
  const file = join(folder, 'token')
  await writeFile(file, 'wrong\n')
  const from = references({ VAULT_ADDR: vault.url, VAULT_TOKEN_FILE: file })

  expect(await fault(`vault:${PATH}#password`, from)).toMatch(/^VAULT_DENIED/)
  await writeFile(file, `${vault.token(['secret/'])}\n`)

  expect(await read(`vault:${PATH}#password`, from)).toBe('from vault')
})

test('an AppRole signs in once, again when its token is gone, and says when it is refused', async () => {
  const { roleId, secretId } = vault.role(['secret/'])
  const from = references({ VAULT_ADDR: vault.url, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId })
  vault.seen.length = 0

  expect(await read(`vault:${PATH}#password`, from)).toBe('from vault')
  expect(await read(`vault:${PATH}#password`, from)).toBe('from vault')
  expect(vault.seen.filter((line) => line.startsWith('POST'))).toHaveLength(1)
  vault.revokeAll()
  expect(await read(`vault:${PATH}#password`, from)).toBe('from vault')
  expect(vault.seen.filter((line) => line.startsWith('POST'))).toHaveLength(2)

  const wrong = references({ VAULT_ADDR: vault.url, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: 'wrong' })
  expect(await fault(`vault:${PATH}#password`, wrong)).toMatch(/^VAULT_DENIED: .*AppRole/)
})

test('a token whose time is over says so and what to do; one that may not read says that', async () => {
  const from = (token: string) => references({ VAULT_ADDR: vault.url, VAULT_TOKEN: token })
  const short = vault.token(['secret/'], { lifeMs: 300 })
  expect(await read(`vault:${PATH}#password`, from(short))).toBe('from vault')
  await waitFor('it is over', async () => (await read(`vault:${PATH}#password`, from(short)).catch(() => 'over')) === 'over')

  expect(await fault(`vault:${PATH}#password`, from(short))).toMatch(/^VAULT_DENIED: .*the token of VAULT_TOKEN has expired or was revoked/)
  const over = await read(`vault:${PATH}#password`, from(short)).catch((cause: unknown) => cause)
  expect(over).toMatchObject({ remedy: expect.stringMatching(/VAULT_TOKEN_FILE.*AppRole/) })
  expect(await fault(`vault:${PATH}#password`, from(vault.token(['other/'])))).toMatch(/^VAULT_DENIED: .*HTTP 403/)
})

test('an AppRole whose token is over by its lease signs in anew before anybody notices', async () => {
  const { roleId, secretId } = vault.role(['secret/'], 1)
  const from = references({ VAULT_ADDR: vault.url, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId })
  vault.seen.length = 0
  const signIns = () => vault.seen.filter((line) => line.startsWith('POST')).length

  await waitFor('it has signed in three times', async () => {
    expect(await read(`vault:${PATH}#password`, from)).toBe('from vault')
    return signIns() === 3
  })
})

test('a token that no header can hold is told by its place, never by itself', async () => {
  const seen = await fault(`vault:${PATH}#password`, references({ VAULT_ADDR: vault.url, VAULT_TOKEN: 'hvs.one\nhvs.two' }))

  expect(seen).toMatch(/^REFERENCE_DENIED: .*VAULT_TOKEN holds no token/)
  expect(seen).not.toContain('hvs.')
})

test('a Vault whose certificate is of an authority of one’s own is trusted with VAULT_CACERT, and no other', async () => {
  const [own, other] = await Promise.all([CertificateAuthority.make('Our own'), CertificateAuthority.make('Somebody else')])
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const serve = async (wish: Parameters<CertificateAuthority['issue']>[0]) => {
    const server = await KvServer.start({ tls: await own.issue(wish) })
    server.put(PATH, { password: 'from vault' })
    return server
  }
  await using vaults = new AsyncDisposableStack()
  const good = vaults.use(await serve({ addresses: ['127.0.0.1'], chain: true }))
  const misnamed = vaults.use(await serve({ names: ['vault.internal'] }))
  const expired = vaults.use(await serve({ addresses: ['127.0.0.1'], days: -1 }))
  const [ours, theirs, none] = [await file('ours.pem', own.cert), await file('theirs.pem', other.cert), await file('none.pem', 'no PEM')]
  const at = (server: KvServer, ca?: string) =>
    references({ VAULT_ADDR: server.url, VAULT_TOKEN: server.token(['secret/']), ...(ca === undefined ? {} : { VAULT_CACERT: ca }) })

  expect(await read(`vault:${PATH}#password`, at(good, ours))).toBe('from vault')

  for (const ca of [theirs, undefined]) {
    const untrusted = await read(`vault:${PATH}#password`, at(good, ca)).catch((cause: unknown) => cause)
    expect(untrusted).toMatchObject({ code: 'VAULT_UNTRUSTED', remedy: expect.stringContaining('VAULT_CACERT') })
  }
  expect(await fault(`vault:${PATH}#password`, at(misnamed, ours))).toMatch(/^VAULT_UNTRUSTED: .*ERR_TLS_CERT_ALTNAME_INVALID/)
  expect(await fault(`vault:${PATH}#password`, at(expired, ours))).toMatch(/^VAULT_UNTRUSTED: .*CERT_HAS_EXPIRED/)
  expect(await fault(`vault:${PATH}#password`, at(good, none))).toMatch(/^REFERENCE_DENIED: .*none\.pem holds no certificate/)
  expect(await fault(`vault:${PATH}#password`, at(good, join(folder, 'nowhere.pem')))).toMatch(/^REFERENCE_DENIED: .*cannot be read/)
  // Nobody was sent a token before the certificate was believed.
  expect([...misnamed.seen, ...expired.seen]).toEqual([])
})

test('the namespace is named', async () => {
  await using spaced = await KvServer.start({ namespace: 'team' })
  spaced.put(PATH, { password: 'of the team' })
  const env = { VAULT_ADDR: spaced.url, VAULT_TOKEN: spaced.token(['secret/']) }

  expect(await read(`vault:${PATH}#password`, references({ ...env, VAULT_NAMESPACE: 'team' }))).toBe('of the team')
  expect(await fault(`vault:${PATH}#password`, references(env))).toMatch(/^VAULT_DENIED/)
})

test('an administrator of the node can narrow where secrets may go, and what in Vault is read', async () => {
  const narrow = references({ ...environment, POSTERN_REF_HOSTS: 'db.internal, *.corp', POSTERN_REF_VAULT_PATHS: 'secret/data/shop/*' })

  expect(await read('file:pg', narrow)).toBe('from a file')
  expect(await read('file:pg', narrow, { host: 'DB.corp' })).toBe('from a file')
  expect(await read('file:pg', narrow, { endpoint: 'https://s3.corp:9000/x' })).toBe('from a file')
  expect(await fault('file:pg', narrow, { host: 'evil.example' })).toMatch(/^REFERENCE_DENIED: .*evil\.example/)
  expect(await fault('file:pg', narrow, {})).toMatch(/^REFERENCE_DENIED/)
  expect(await fault(`vault:${PATH}#password`, narrow)).toMatch(/^REFERENCE_DENIED: .*POSTERN_REF_VAULT_PATHS/)
})

test('a wrong life of what was read fails the start', () => {
  expect(() => references({ POSTERN_REF_SECONDS: '1' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

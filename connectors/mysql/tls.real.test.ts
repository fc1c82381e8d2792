import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret, silentLog } from '@postern/base/log.ts'
import { MysqlServer, mysqlMissing } from '@postern/testkit/mysql-server.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mysql } from './index.ts'

const missing = mysqlMissing() ?? (spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl is missing')

describe.skipIf(missing !== undefined)(`TLS to MySQL${missing ? `: ${missing}` : ''}`, () => {
  let server: MysqlServer
  let renamed: MysqlServer
  let folder: string
  let ca: string
  let other: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-mysql-tls-'))
    const [first, second] = [certificate('localhost'), certificate('db.example')]
    execFileSync('chmod', ['-R', 'a+rX', folder])
    ca = readFileSync(first['ssl-cert'], 'utf8')
    other = readFileSync(second['ssl-cert'], 'utf8')
    server = await MysqlServer.start({ settings: first })
    renamed = await MysqlServer.start({ settings: second })
  })

  function certificate(name: string) {
    const files = { 'ssl-key': join(folder, `${name}.key`), 'ssl-cert': join(folder, `${name}.pem`) }
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', files['ssl-key'], '-out', files['ssl-cert'], '-days', '2']
    execFileSync('openssl', [...made, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`], { stdio: 'ignore' })
    return files
  }

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await renamed?.[Symbol.asyncDispose]()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  async function version(settings: Record<string, string>, at = server): Promise<string> {
    await using db = await at.database()
    const all = { host: db.host, port: db.port, database: db.name, user: db.user, ...settings }
    await using session = await mysql.open({
      settings: all,
      secrets: { password: new Secret(db.password) },
      log: silentLog,
      scratch: '/tmp',
    })
    const answer = await session.query?.(
      { sql: `show status like 'Ssl_version'`, params: [], mode: 'read', format: 'csv' },
      AbortSignal.timeout(10_000),
    )
    const chunks: Buffer[] = []
    for await (const chunk of answer?.bytes ?? []) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString().split('\n')[1] ?? ''
  }
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (fault: { code: string }) => fault.code,
    )

  test('off is in clear, required is encrypted without a check, verify checks the authority and the name', async () => {
    expect(await version({ ssl: 'off' })).toBe('Ssl_version,""')
    expect(await version({ ssl: 'required' })).toMatch(/^Ssl_version,TLSv1\.[23]$/)
    expect(await version({ ssl: 'verify-ca', sslCa: ca })).toMatch(/^Ssl_version,TLS/)
    expect(await version({ ssl: 'verify-identity', sslCa: ca, host: 'localhost' })).toMatch(/^Ssl_version,TLS/)
  })

  test('a certificate that nobody vouches for, or of another name, is refused', async () => {
    expect(await code(version({ ssl: 'verify-ca' }))).toBe('STORE_UNREACHABLE')
    expect(await code(version({ ssl: 'verify-identity', host: 'localhost' }))).toBe('STORE_UNREACHABLE')
    expect(await version({ ssl: 'verify-ca', sslCa: other, host: 'localhost' }, renamed)).toMatch(/^Ssl_version,TLS/)
    expect(await code(version({ ssl: 'verify-identity', sslCa: other, host: 'localhost' }, renamed))).toBe('STORE_UNREACHABLE')
    expect(await code(version({ ssl: 'verify-identity', sslCa: ca }))).toBe('STORE_SETTINGS_INVALID')
  })
})

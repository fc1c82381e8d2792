/** People at two replicas and in the command line: the first administrator, passwords, a browser that comes back, and the end of it all. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@postern/client/client.ts'
import { compareCode } from '@postern/protocol/api/oidc.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliResult, postern } from './cli.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { OidcServer } from './oidc-server.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'
import { TestService } from './service.ts'
import { waitFor } from './wait-for.ts'
import { WebVisitor } from './web-visitor.ts'
import { refusalOf } from './wire-client.ts'

const MAIN = fileURLToPath(new URL('../cli/postern.js', import.meta.url))
const PASSWORD = 'four words that stay'
const stack = new AsyncDisposableStack()
let database: TestDatabase
let folder: TestFolder
let one: TestService
let two: TestService

beforeAll(async () => {
  database = stack.use(await testDatabase())
  folder = stack.use(await testFolder())
  const options = { database: 'embedded', args: ['--database-url', database.url] } as const
  one = stack.use(await TestService.start(options))
  two = stack.use(await TestService.start(options))
})

afterAll(() => stack.disposeAsync())

/** A person's own shell: nothing of the environment's sign-in, a folder of its own for what is remembered. */
const homeOf = (who: string) => ({ POSTERN_URL: '', POSTERN_TOKEN: '', XDG_CONFIG_HOME: join(folder.path, who), BROWSER: '' })
const run = (who: string, args: readonly string[], input = ''): Promise<CliResult> => postern(args, { env: homeOf(who), input })
const asAdministrator = (args: readonly string[], input = '') => postern(args, { env: one.env, input })

async function good(result: CliResult | Promise<CliResult>): Promise<CliResult> {
  const done = await result
  expect(done.code, done.stderr).toBe(0)
  return done
}

const tokenOf = async (who: string): Promise<string> =>
  (JSON.parse(await readFile(join(folder.path, who, 'postern', 'login.json'), 'utf8')) as { token: string }).token

/** Ends with the code of the fault that the replica answers with, or undefined. */
async function refusal(service: TestService, token: string): Promise<string | undefined> {
  try {
    await new Client({ url: service.url, token }).signIn.whoAmI()
    return undefined
  } catch (thrown) {
    return Fault.from(thrown).code
  }
}

test('the first administrator is made with the token of the first start, and needs it no more', async () => {
  const before = await new Client({ url: one.url }).signIn.ways()
  const made = await good(asAdministrator(['person', 'create', 'root', '--role', 'administrator']))
  const once = made.stdout.trim()

  await good(run('root', ['login', one.url, '--name', 'root'], `${once}\n${PASSWORD}\n`))

  expect(before).toEqual({ firstPerson: true, providers: [] })
  expect((await new Client({ url: one.url }).signIn.ways()).firstPerson).toBe(false)
  expect(once).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/)
  expect((await good(run('root', ['person', 'list', '--json']))).json()).toMatchObject([
    { name: 'root', role: 'administrator', password: 'set' },
  ])
  expect(one.process.log).not.toContain(once)
  expect((await run('other', ['login', one.url, '--name', 'root'], `${once}\n`)).code).toBe(4)
})

test('a service that has an account that administers writes no new token when the old ones are gone', async () => {
  await database.query(`update token set expires_at = now() - interval '1 second'`)
  await one.stop()
  const file = join(one.data, 'admin-token')
  const before = await readFile(file, 'utf8')

  await one.restart()

  expect(await readFile(file, 'utf8')).toBe(before)
  await database.query('update token set expires_at = null')
})

test('an account is changed, disabled, enabled and deleted in the command line', async () => {
  await good(
    asAdministrator(['person', 'create', 'Pat', '--role', 'reader', '--email', 'pat@example.com', '--password', '-'], `${PASSWORD}\n`),
  )
  await good(asAdministrator(['person', 'set', 'pat', 'role=user', 'displayName=Pat the Postman']))

  expect((await good(asAdministrator(['person', 'show', 'pat', '--json']))).json()).toMatchObject({
    name: 'pat',
    role: 'user',
    displayName: 'Pat the Postman',
  })
  await good(asAdministrator(['person', 'disable', 'pat']))
  expect((await run('pat', ['login', one.url, '--name', 'pat'], `${PASSWORD}\n`)).stderr).toContain('Name or password is wrong.')
  await good(asAdministrator(['person', 'enable', 'pat']))
  await good(run('pat', ['login', one.url, '--name', 'pat'], `${PASSWORD}\n`))
  await good(asAdministrator(['person', 'delete', 'pat']))
  expect((await asAdministrator(['person', 'show', 'pat'])).code).toBe(3)
})

test('bad input has one line that says what, and the right exit code', async () => {
  const weak = await asAdministrator(['person', 'create', 'weak', '--role', 'user', '--password', '-'], 'Password2026!\n')
  const name = await asAdministrator(['person', 'create', 'a b', '--role', 'user'])
  const twice = await asAdministrator(['person', 'create', 'ROOT', '--role', 'user'])
  const setting = await asAdministrator(['person', 'set', 'root', 'colour=red'])

  expect([weak.code, name.code, twice.code, setting.code]).toEqual([2, 2, 1, 2])
  expect(weak.stderr).toContain('error: The new password will not do. It is one of the first that are tried.')
  expect(name.stderr).toContain('error: The request is not valid. name:')
  expect(twice.stderr).toContain('A person of this name exists.')
  for (const { stderr } of [weak, name, twice, setting]) expect(stderr).not.toMatch(/\n\s+at .+:\d+:\d+/)
})

test.each([
  ['is disabled', (name: string) => one.client.people.change(name, { disabled: true })],
  ['is deleted', (name: string) => one.client.people.delete(name)],
  ['is given a new password', (name: string) => one.client.people.resetPassword(name)],
  ['is signed out', (name: string) => one.client.people.signOut(name)],
])('who %s at one replica is out at the other within a second', async (_, act) => {
  const name = `cut${Math.floor(performance.now())}`
  await one.client.people.create({ name, role: 'user', password: PASSWORD })
  const { token = '' } = await new Client({ url: two.url }).signIn.begin({ name, password: PASSWORD })
  expect(await refusal(two, token)).toBeUndefined()

  await act(name)
  const from = performance.now()
  await waitFor(
    'the other replica refuses the sign-in',
    () => refusal(two, token),
    (code) => code === 'TOKEN_INVALID',
    { everyMs: 10 },
  )

  // A second of what is remembered, and what two busy processors add.
  expect(performance.now() - from).toBeLessThan(1_500)
  expect(await refusal(one, token)).toBe('TOKEN_INVALID')
})

test('`logout` ends the sign-in at the service, not only here', async () => {
  await good(run('root', ['login', two.url, '--name', 'root'], `${PASSWORD}\n`))
  const token = await tokenOf('root')

  await good(run('root', ['logout']))

  await waitFor(
    'the sign-in has ended everywhere',
    async () => [await refusal(one, token), await refusal(two, token)],
    (codes) => codes.every(Boolean),
  )
  expect((await run('root', ['person', 'list'])).code).toBe(4)
  expect((await run('root', ['logout'])).code).toBe(4)
})

test('own password and sign-ins in the command line', async () => {
  await one.client.people.create({ name: 'self', role: 'user', password: PASSWORD })
  await good(run('self-here', ['login', one.url, '--name', 'self'], `${PASSWORD}\n`))
  await good(run('self-there', ['login', two.url, '--name', 'self'], `${PASSWORD}\n`))

  expect((await good(run('self-here', ['person', 'sign-ins', '--json']))).json<unknown[]>()).toHaveLength(2)
  await good(run('self-here', ['person', 'password'], `${PASSWORD}\nquite another four words\n`))
  expect((await good(run('self-here', ['person', 'sign-ins', '--json']))).json<unknown[]>()).toHaveLength(1)

  await waitFor(
    'the other sign-in has ended',
    async () => await run('self-there', ['person', 'sign-ins']),
    ({ code }) => code === 4,
  )
})

test("a sign-in is a password for PostgreSQL's protocol, until it ends", async () => {
  await one.client.people.create({ name: 'wire', role: 'user', password: PASSWORD })
  const { token = '' } = await new Client({ url: one.url }).signIn.begin({ name: 'wire', password: PASSWORD })
  const knock = () => refusalOf({ token, postgresPort: one.postgresPort }, { store: 'no-such-store' })

  expect(await knock()).toMatchObject({ code: '3D000' })
  await one.client.people.signOut('wire')
  expect(await knock()).toMatchObject({ code: '28P01' })
})

test('how long sign-ins last is a setting', async () => {
  expect((await good(asAdministrator(['person', 'settings', 'idleSeconds=3600', '--json']))).json()).toEqual({
    idleSeconds: 3_600,
    lifeSeconds: 604_800,
  })
  expect((await asAdministrator(['person', 'settings', 'idleSeconds=1'])).code).toBe(2)
})

/** `postern login --oidc` up to where it waits for the browser; `stderr` is what it has said. */
function loginByBrowser(who: string, args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'login', one.url, '--oidc', ...args, '--no-browser'], {
    env: { ...process.env, ...homeOf(who) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const start = () =>
    waitFor(
      `the address is printed`,
      () => /http\S+\/start\S+/.exec(said)?.[0] ?? '',
      (url) => url !== '',
    )
  return { ended, start, said: () => said, [Symbol.asyncDispose]: async () => void (child.kill('SIGKILL') && (await ended)) }
}

test('the command line signs in through a browser, which asks first', async () => {
  await using provider = await OidcServer.start({
    people: { kim: { preferred_username: 'kim', name: 'Kim', groups: ['dba'] } },
    redirectUris: [`${one.url}/v1/oidc/acme/callback`],
  })
  const set = ['oidc', 'set', 'acme', `issuer=${provider.issuer}`, 'clientId=postern', 'role.dba=operator']
  expect((await good(asAdministrator(set))).stdout).toContain(`${one.url}/v1/oidc/acme/callback`)
  await using login = loginByBrowser('kim', [])
  const start = await login.start()
  const visitor = new WebVisitor()

  const page = await visitor.submit(await visitor.submit(await visitor.visit(start), { login: 'kim', password: 'any' }))

  const challenge = new URL(start).searchParams.get('challenge') ?? ''
  expect(page.html).toContain(`<code>${compareCode(challenge)}</code>`)
  expect(login.said()).toContain(compareCode(challenge))
  expect(await visitor.ask(`${one.url}/v1/sign-in`)).toMatchObject({ status: 401 })
  const link = new URL(visitor.linkOf(page))
  expect(link.hostname).toBe('127.0.0.1')

  const wrong = new URL(link)
  wrong.searchParams.set('state', 'x'.repeat(32))
  expect((await visitor.visit(wrong)).status).toBe(404)
  const stolen = { code: link.searchParams.get('code') ?? '', verifier: 'x'.repeat(43) }
  expect((await visitor.visit(link)).status).toBe(200)

  expect(await login.ended, login.said()).toBe(0)
  expect((await good(run('kim', ['person', 'sign-ins', '--json']))).json()).toMatchObject([{ way: 'acme', current: true }])
  // What the browser carried has been used, and was nothing without the proof of who asked.
  await expect(new Client({ url: one.url }).signIn.handover(stolen)).rejects.toMatchObject({ code: 'OIDC_REFUSED' })
  await good(asAdministrator(['oidc', 'delete', 'acme']))
  expect((await run('kim', ['login', one.url, '--oidc', 'acme', '--no-browser'])).code).toBe(3)
})

test('behind a proxy that is trusted, waits are of the address that it names; others are not believed', async () => {
  await using behind = await TestService.start({ args: ['--trusted-proxies', '127.0.0.1'] })
  const signIn = async (service: TestService, password: string, from: string) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': from }
    const response = await fetch(`${service.url}/v1/sign-in`, { method: 'POST', headers, body: JSON.stringify({ name: 'ann', password }) })
    return response.status
  }
  const guesses = async (service: TestService) => {
    await service.client.people.create({ name: 'ann', role: 'reader', password: PASSWORD })
    for (let n = 0; n < 7; n += 1) await signIn(service, 'wrong', `6.6.6.6, 203.0.113.7`)
    return [await signIn(service, PASSWORD, '203.0.113.7'), await signIn(service, PASSWORD, '203.0.113.8')]
  }

  expect(await guesses(behind)).toEqual([429, 200])
  expect(await guesses(one)).toEqual([429, 429])
  const headers = { authorization: `Bearer ${behind.token}` }
  expect(await (await fetch(`${behind.url}/v1/audit`, { headers })).text()).toContain('"ip":"203.0.113.7"')
})

test('over TLS the cookie is for TLS only, and of this host only', async () => {
  const publicUrl = 'https://postern.example.com'
  await using behind = await TestService.start({ args: ['--public-url', publicUrl] })
  await behind.client.people.create({ name: 'ann', role: 'reader', password: PASSWORD })

  const response = await fetch(`${behind.url}/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: publicUrl },
    body: JSON.stringify({ name: 'ann', password: PASSWORD, as: 'cookie' }),
  })

  expect(response.status).toBe(200)
  expect(response.headers.getSetCookie()[0]).toMatch(/^__Host-postern=pts_[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; Secure; SameSite=Strict$/)
})

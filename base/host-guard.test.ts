import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { guardedAgents } from './guarded-agents.ts'
import { HostGuard, type HostGuardOptions } from './host-guard.ts'

type Resolve = NonNullable<HostGuardOptions['resolve']>
const resolvesTo =
  (...addresses: readonly string[]): Resolve =>
  (_name, _options, done) =>
    setImmediate(() =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    )

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  return { server, port: typeof address === 'object' && address ? address.port : 0 }
}

const ended = (socket: ReturnType<HostGuard['connect']>) =>
  new Promise<unknown>((resolve) => socket.once('error', resolve).once('connect', () => resolve('connected'))).finally(() =>
    socket.destroy(),
  )

test.each([
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '168.63.129.16',
  'fe80::1',
  'fe80::1%eth0',
  '[fe80::1]',
  'fd00:ec2::254',
  'fd00:0ec2:0:0::254',
  'FD20:CE::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::169.254.169.254',
  '2002:a9fe:a9fe::1',
  '::169.254.169.254',
  'metadata.google.internal',
  'Metadata.Google.Internal.',
  'metadata',
])('%s is denied', (host) => {
  expect(() => new HostGuard().check(host)).toThrow(expect.objectContaining({ code: 'HOST_DENIED' }))
})

test.each(['127.0.0.1', '::1', '10.0.0.1', '192.168.1.1', 'fd12::1', '169.253.255.255', '100.100.100.201', 'db.example', '2001:db8::1'])(
  '%s is not',
  (host) => {
    expect(() => new HostGuard().check(host)).not.toThrow()
  },
)

test('a name that leads to a denied address is refused with the name and the address', async () => {
  const hosts = new HostGuard({ resolve: resolvesTo('169.254.169.254') })

  await expect(ended(hosts.connect({ host: 'innocent.example', port: 80 }))).resolves.toMatchObject({
    code: 'HOST_DENIED',
    message: expect.stringContaining('innocent.example (169.254.169.254)'),
  })
})

test('a number that is an address in another spelling is looked at as the address that it is', async () => {
  for (const host of ['2852039166', '0xa9fea9fe', '169.16689662'])
    await expect(ended(new HostGuard().connect({ host, port: 80 }))).resolves.toMatchObject({ code: 'HOST_DENIED' })
})

test('of several addresses only those that are free are dialled', async () => {
  const { port } = await listening()
  const hosts = new HostGuard({ resolve: resolvesTo('fe80::1', '127.0.0.1') })

  expect(await ended(hosts.connect({ host: 'both.example', port }))).toBe('connected')
})

test('a name is asked for once: a second answer, which leads elsewhere, is never dialled', async () => {
  const { port } = await listening()
  let asked = 0
  const rebinding: Resolve = (name, options, done) => {
    asked += 1
    resolvesTo(asked === 1 ? '127.0.0.1' : '169.254.169.254')(name, options, done)
  }
  const hosts = new HostGuard({ resolve: rebinding })

  expect(await ended(hosts.connect({ host: 'rebinding.example', port }))).toBe('connected')
  expect(asked).toBe(1)
  await expect(ended(hosts.connect({ host: 'rebinding.example', port }))).resolves.toMatchObject({ code: 'HOST_DENIED' })
})

test('the node may allow an address, a network or a name', () => {
  const allowing = (entry: string) => new HostGuard({ allowed: [entry] })

  expect(() => allowing('169.254.10.0/24').check('169.254.10.5')).not.toThrow()
  expect(() => allowing('169.254.10.0/24').check('169.254.11.5')).toThrow('169.254.11.5')
  expect(() => allowing('fe80::/10').check('fe80::1%eth0')).not.toThrow()
  expect(() => allowing('metadata.goog').check('METADATA.goog.')).not.toThrow()
  expect(() => allowing('metadata.goog').check('169.254.169.254')).toThrow()
})

test.each(['', '169.254.0.0/33', 'fe80::/129', '1.2.3.4/x', 'a b', 'http://x'])('--allow-host "%s" is refused', (entry) => {
  expect(() => new HostGuard({ allowed: [entry] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test('a name that is allowed leads wherever its name server says', async () => {
  const hosts = new HostGuard({ allowed: ['own.example'], resolve: resolvesTo('169.254.1.1') })
  const found = await new Promise((resolve) => hosts.lookup('own.example', { all: true }, (_error, addresses) => resolve(addresses)))

  expect(found).toEqual([{ address: '169.254.1.1', family: 4 }])
})

test('a host that is this machine itself is said once', async () => {
  const { port } = await listening()
  const said: string[] = []
  const hosts = new HostGuard({ onLoopback: (host) => said.push(host), resolve: resolvesTo('127.0.0.1') })

  for (const host of ['127.0.0.1', '127.0.0.1', 'own.example', 'own.example']) await ended(hosts.connect({ host, port }))

  expect(said).toEqual(['127.0.0.1', 'own.example'])
})

test('a socket for drivers that connect it themselves is guarded too, and takes the path of a unix socket', async () => {
  const { port } = await listening()
  const hosts = new HostGuard()
  const connected = (to: readonly [number | string, string?]) => {
    const socket = hosts.socket()
    socket.connect(...(to as [number, string]))
    return ended(socket)
  }

  expect(await connected([port, '127.0.0.1'])).toBe('connected')
  await expect(connected([port, '169.254.169.254'])).resolves.toMatchObject({ code: 'HOST_DENIED' })
  await expect(connected(['/nowhere/.s.PGSQL.5432'])).resolves.toMatchObject({ code: 'ENOENT' })
})

test('agents refuse by address and by name, and carry requests to what is free', async () => {
  const { request } = await import('node:http')
  const { createServer: createHttp } = await import('node:http')
  const server = createHttp((_, response) => response.end('fine'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const hosts = new HostGuard({
    resolve: (name, ...more) => resolvesTo(name === 'good.example' ? '127.0.0.1' : '169.254.169.254')(name, ...more),
  })
  const agents = guardedAgents(hosts)
  const asked = (host: string) =>
    new Promise<unknown>((resolve) =>
      request({ agent: agents.http, host, port }, (response) => resolve(response.resume().statusCode))
        .once('error', resolve)
        .end(),
    )

  expect(await asked('good.example')).toBe(200)
  await expect(asked('bad.example')).resolves.toMatchObject({ code: 'HOST_DENIED' })
  await expect(asked('169.254.169.254')).resolves.toMatchObject({ code: 'HOST_DENIED' })
  agents.destroy()
})

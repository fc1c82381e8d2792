import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { FlakyLink } from './flaky-link.ts'
import { failOnLeaks } from './leaks.ts'
import { waitFor } from './wait-for.ts'

failOnLeaks()

/** A server that sends back what it gets. */
async function echo() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function dial(port: number) {
  const socket = connect({ port, host: '127.0.0.1' })
  let got = 0
  let closed = false
  socket.on('data', (bytes) => {
    got += bytes.length
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    closed = true
  })
  return {
    socket,
    got: () => got,
    closed: () => closed,
    [Symbol.dispose]() {
      socket.destroy()
    },
  }
}

test('in fair weather every byte arrives, both ways', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  using client = dial(link.port)

  client.socket.write(Buffer.alloc(5_000_000))

  await waitFor('all bytes are back', client.got, (bytes) => bytes === 5_000_000)
})

test('a cut link breaks what is there and refuses what is new, until it heals', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  using before = dial(link.port)
  before.socket.write('a')
  await waitFor('the first byte is back', before.got)

  link.cut()
  using during = dial(link.port)
  await waitFor('both are closed', () => before.closed() && during.closed())
  link.heal()
  using after = dial(link.port)
  after.socket.write('a')

  await waitFor('a new connection works', after.got)
})

test('a stalled link loses nothing', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  using client = dial(link.port)
  link.stall()
  client.socket.write(Buffer.alloc(1_000_000))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(client.got()).toBe(0)

  link.heal()

  await waitFor('all bytes are back', client.got, (bytes) => bytes === 1_000_000)
})

test('a half-open connection stays silent after the link has healed, a new one works', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  using old = dial(link.port)
  link.halfOpen()
  old.socket.write('lost')
  await new Promise((resolve) => setTimeout(resolve, 50))

  link.heal()
  old.socket.write('lost too')
  using fresh = dial(link.port)
  fresh.socket.write('a')
  await waitFor('the new connection works', fresh.got)

  expect(old.got()).toBe(0)
  expect(old.closed()).toBe(false)
})

test('a delay makes bytes late without making them fewer', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  link.delay(40)
  using client = dial(link.port)
  await once(client.socket, 'connect')

  const start = performance.now()
  client.socket.write(Buffer.alloc(20_000_000))
  await waitFor('the first bytes are back', client.got, Boolean, { everyMs: 1 })
  const first = performance.now() - start
  await waitFor('all bytes are back', client.got, (bytes) => bytes === 20_000_000)

  expect(first).toBeGreaterThanOrEqual(79)
})

test('a slow link passes no more than it is told', async () => {
  await using server = await echo()
  await using link = await FlakyLink.to(server)
  link.slow(1_000_000)
  using client = dial(link.port)

  const start = performance.now()
  client.socket.write(Buffer.alloc(200_000))
  await waitFor('all bytes are back', client.got, (bytes) => bytes === 200_000)

  expect(performance.now() - start).toBeGreaterThanOrEqual(140)
})

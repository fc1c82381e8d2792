import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { networkOf } from './network-of.ts'
import { Strangers } from './strangers.ts'

let ports = 1_000
function socketOf(remoteAddress: string) {
  ports += 1
  return Object.assign(new PassThrough(), { remoteAddress, remotePort: ports })
}

test('of one network that has too many the oldest is cut, and others stay', () => {
  const strangers = new Strangers({ ofNetwork: 2, inAll: 10 })
  const others = [socketOf('10.0.0.9')]
  const many = ['10.0.0.1', '10.0.0.1', '10.0.0.1'].map(socketOf)

  for (const socket of [...others, ...many]) strangers.add(socket)

  expect([...others, ...many].map((socket) => socket.destroyed)).toEqual([false, true, false, false])
  expect(strangers.size).toBe(3)
})

test('where all are too many the oldest of the network that has most is cut', () => {
  const strangers = new Strangers({ ofNetwork: 5, inAll: 3 })
  const few = socketOf('10.0.0.9')
  const most = ['10.0.0.1', '10.0.0.1', '10.0.0.1'].map(socketOf)

  for (const socket of [few, ...most]) strangers.add(socket)

  expect(few.destroyed).toBe(false)
  expect(most.map((socket) => socket.destroyed)).toEqual([true, false, false])
})

test('who has proved who it is counts no more, also by the TLS socket above', () => {
  const strangers = new Strangers({ ofNetwork: 1, inAll: 1 })
  const tcp = socketOf('10.0.0.1')
  const tls = Object.assign(new PassThrough(), { remoteAddress: tcp.remoteAddress, remotePort: tcp.remotePort })

  strangers.add(tcp)
  strangers.proven(tls)
  strangers.add(socketOf('10.0.0.1'))

  expect(tcp.destroyed).toBe(false)
  expect(strangers.size).toBe(1)
})

test('one that has closed counts no more', async () => {
  const strangers = new Strangers({ ofNetwork: 1, inAll: 1 })
  const gone = socketOf('10.0.0.1')

  strangers.add(gone)
  await new Promise((resolve) => gone.once('close', resolve).destroy())

  expect(strangers.size).toBe(0)
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:0001:2::6', '2001:db8:1:2'],
  ['2001:DB8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s is of network %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

test('connections of a proxy count by who sends on them, and are forgotten wherever they were', () => {
  const strangers = new Strangers({ ofNetwork: 2, inAll: 10 })
  const proxied = ['10.0.0.1', '10.0.0.1'].map(socketOf)
  const [first, second] = proxied as [ReturnType<typeof socketOf>, ReturnType<typeof socketOf>]
  for (const socket of proxied) strangers.add(socket)
  strangers.sentBy(first, '203.0.113.7')
  strangers.sentBy(second, '203.0.113.8')
  const further = ['10.0.0.1', '10.0.0.1'].map(socketOf)
  for (const socket of further) strangers.add(socket)
  expect([...proxied, ...further].map((socket) => socket.destroyed)).toEqual([false, false, false, false])

  // One more of the same client, on whichever connection: its oldest is cut.
  for (const socket of further) strangers.sentBy(socket, '203.0.113.7')
  expect([...proxied, ...further].map((socket) => socket.destroyed)).toEqual([true, false, false, false])
  expect(strangers.size).toBe(3)

  strangers.proven(second)
  strangers.sentBy(second, '203.0.113.9')
  expect(strangers.size).toBe(2)
  for (const socket of further) socket.emit('close')
  expect(strangers.size).toBe(0)
})

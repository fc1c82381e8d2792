import { once } from 'node:events'
import { type ClientHttp2Stream, connect as connectHttp2, createServer as createHttp2, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { spliceBeside } from './splice-beside.ts'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUps.splice(0)) clean()
})

async function listening(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Two ends of a TCP connection. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true })
  const near = connect({ port: await listening(server), host: '127.0.0.1', allowHalfOpen: true })
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  for (const socket of [near, far]) socket.on('error', () => undefined)
  cleanUps.push(() => near.destroy())
  return [near, far]
}

async function streams(): Promise<readonly [ClientHttp2Stream, ServerHttp2Stream]> {
  const server = createHttp2()
  const session = connectHttp2(`http://127.0.0.1:${await listening(server)}`)
  const here = session.request({ ':method': 'POST' }, { endStream: false }).on('error', () => undefined)
  const [there] = (await once(server, 'stream')) as [ServerHttp2Stream]
  there.on('error', () => undefined).respond()
  await once(here, 'response')
  cleanUps.push(() => {
    session.destroy()
    server.close()
  })
  return [here, there]
}

async function all(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** client ── near | data ──── data | near ── server, as between service and node. */
async function way(lastWords?: () => Buffer) {
  const [[client, one], [dataHere, dataThere], [here, there], [two, server]] = [await pair(), await pair(), await streams(), await pair()]
  const done = Promise.all([
    spliceBeside(one, { data: dataHere, control: here }, lastWords ? { lastWords } : {}),
    spliceBeside(two, { data: dataThere, control: there }, { first: Buffer.from('welcome, ') }),
  ])
  return { client, server, dataHere, there, done }
}

test('bytes pass both ways, and an end is passed while the other way goes on', async () => {
  const { client, server, done } = await way()
  client.end('question')
  expect(await all(server)).toBe('question')
  server.end('answer')

  expect(await all(client)).toBe('welcome, answer')
  await done
})

test('much passes whole, and its end is not taken for the end before the last byte is there', async () => {
  const { client, server, done } = await way()
  const sent = Buffer.alloc(16 << 20, 'abcdefghijk')
  server.end(sent)
  client.end()
  const got = await all(client)

  expect(got.length).toBe('welcome, '.length + sent.length)
  expect(got.endsWith(sent.toString('latin1', sent.length - 1_000))).toBe(true)
  await done
})

test('a data connection that is closed without the word of the other side was cut', async () => {
  const { client, server, dataHere, done } = await way(() => Buffer.from('it is gone'))
  await once(client, 'data')
  dataHere.end()
  dataHere.destroy()
  const told = all(client)
  server.resume()

  expect(await told).toBe('it is gone')
  client.end()
  server.destroy()
  await done
})

test('when the stream beside is cut, both ends are', async () => {
  const { client, server, there, done } = await way(() => Buffer.from('it is gone'))
  await once(client, 'data')
  there.close(8)

  expect(await all(client)).toBe('it is gone')
  expect(await all(server)).toBe('')
  client.end()
  await done
})

test('what breaks one side ends the other', async () => {
  const { client, server, done } = await way()
  client.resetAndDestroy()
  server.resume()
  if (!server.closed) await Promise.race([once(server, 'close'), once(server, 'end')])
  server.destroy()
  await done
})

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { splice } from '@postern/base/splice.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { connect, findAccess } from '../api/connect.ts'
import { dialStore } from '../api/dial-store.ts'
import { printFault } from '../output/fault.ts'
import { note, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

const HOST = '127.0.0.1'

/** Serves until it is interrupted. */
export async function runConnect(store: string, flags: { readonly port: number; readonly json?: boolean }, shell: Shell): Promise<void> {
  const { client, url } = await connect(shell)
  const { token = '' } = await findAccess(shell)
  // What cannot work is said now, not at the first connection.
  const { settings, kind } = await client.stores.get(store)
  if (settings['host'] === undefined) throw new Fault('CONNECT_UNSUPPORTED', { at: `Store ${store} is of kind ${kind}.` })
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined)
    dialStore({ url, token, store, signal: shell.signal }).then(
      (remote) => void splice(socket, remote),
      (cause: unknown) => {
        socket.destroy()
        if (!shell.signal.aborted) printFault(Fault.from(cause), shell, flags.json ?? false)
      },
    )
  })
  const { port } = await listen(server, flags.port)
  if (flags.json) printLines(shell, JSON.stringify({ host: HOST, port }))
  else printLines(shell, `ready ${HOST}:${port}`)
  note(shell, `Connections to ${HOST}:${port} go to store ${store} (${kind}). Ctrl-C ends them.`)
  if (!shell.signal.aborted) await new Promise<void>((resolve) => shell.signal.addEventListener('abort', () => resolve(), { once: true }))
  server.close()
  for (const socket of sockets) socket.destroy()
}

async function listen(server: Server, port: number): Promise<{ readonly port: number }> {
  server.listen(port, HOST)
  try {
    await once(server, 'listening')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES')
      throw new Fault('FILE_DENIED', { at: `Port ${port} needs more rights.`, remedy: 'Choose a port above 1023.', cause })
    throw new Fault('PORT_TAKEN', { at: `${HOST}:${port}`, details: { port }, cause })
  }
  // Without a listener one connection that cannot be taken (too many open files) would end the command.
  server.on('error', () => undefined)
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : port }
}

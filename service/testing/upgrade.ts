/** An upgrade of HTTP/1.1, for tests: the socket behind it, or the status and code of the refusal. An abort resets the connection, as a program that is killed. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'

export type Upgraded =
  | { readonly status: 101; readonly socket: Socket }
  | { readonly status: number; readonly code: string; readonly socket: undefined }

export async function upgrade(url: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Upgraded> {
  const asked = request(url, { agent: false, headers: { connection: 'Upgrade', ...headers } })
  signal?.addEventListener('abort', () => asked.socket?.resetAndDestroy(), { once: true })
  asked.end()
  const refused = once(asked, 'response').then(async ([response]) => refusal(response as IncomingMessage))
  const taken = once(asked, 'upgrade').then(([, socket, head]) => {
    const raw = socket as Socket
    raw.on('error', () => undefined)
    if ((head as Buffer).length > 0) raw.unshift(head as Buffer)
    return { status: 101, socket: raw } as const
  })
  return await Promise.any([taken, refused])
}

async function refusal(response: IncomingMessage): Promise<Upgraded> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const said: unknown = JSON.parse(Buffer.concat(chunks).toString())
  const code = typeof said === 'object' && said && 'code' in said ? String(said.code) : ''
  return { status: response.statusCode ?? 0, code, socket: undefined }
}

/** Signs in through a browser that comes back to a port of this machine (RFC 8252), with a proof that it was us who asked (RFC 7636). */
import { spawn } from 'node:child_process'
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { compareCode } from '@postern/protocol/api/oidc.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { note } from '../output/print.ts'
import type { Shell } from '../shell.ts'

/** For somebody to find the telephone with the second factor. */
const WAIT_MS = 600_000

export interface LoopbackParts {
  readonly shell: Shell
  readonly url: string
  readonly provider: string
  /** 0: any free one. */
  readonly port: number
  /** Start a browser here; else the address is only printed. */
  readonly openBrowser: boolean
}

export interface Handover {
  readonly code: string
  readonly verifier: string
}

export async function signInByBrowser({ shell, url, provider, port, openBrowser }: LoopbackParts): Promise<Handover> {
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const state = randomBytes(24).toString('base64url')
  const { promise: arrived, resolve } = Promise.withResolvers<string>()
  const server = createServer((request, response) => answer(request, response, state, resolve))
  const taken = await listen(server, port)
  const query = new URLSearchParams({ port: String(taken), state, challenge })
  const start = `${url.replace(/\/+$/, '')}/v1/oidc/${encodeURIComponent(provider)}/start?${query}`
  try {
    note(shell, `Sign in in a browser on this machine, and compare the letters ${compareCode(challenge)}:\n${start}`)
    if (openBrowser) open(start, shell.env)
    const late = AbortSignal.timeout(WAIT_MS)
    const code = await Promise.race([arrived, ended(AbortSignal.any([shell.signal, late]))])
    return { code, verifier }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function answer(request: IncomingMessage, response: ServerResponse, state: string, done: (code: string) => void): void {
  const asked = new URL(request.url ?? '/', 'http://127.0.0.1')
  const code = asked.searchParams.get('code')
  const good = request.method === 'GET' && code !== null && code.length <= 200 && same(asked.searchParams.get('state') ?? '', state)
  response.writeHead(good ? 200 : 404, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(good ? 'Signed in. You can close this page and go back to the command line.\n' : 'There is nothing here.\n')
  if (good) done(code)
}

const same = (one: string, other: string) => one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

/** On the loopback address only: nobody else on the network can bring a code. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject('code' in cause && cause.code === 'EADDRINUSE' ? new Fault('PORT_TAKEN', { at: `127.0.0.1:${port}`, cause }) : cause),
    )
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () =>
      reject(signal.reason instanceof Error && signal.reason.name === 'TimeoutError' ? new Fault('TIMED_OUT') : signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** Without a shell in between: the address is an argument, never a command. What cannot be started is started by hand. */
function open(url: string, env: Shell['env']): void {
  const [program, ...args] =
    env['BROWSER'] !== undefined
      ? [env['BROWSER'], url]
      : process.platform === 'darwin'
        ? ['open', url]
        : process.platform === 'win32'
          ? ['rundll32', 'url.dll,FileProtocolHandler', url]
          : ['xdg-open', url]
  if (!program) return
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

/** The command line in the test's process, and a service that answers as the test says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { systemClock } from '@postern/base/clock.ts'
import { runCommandLine } from '../program.ts'
import type { Shell } from '../shell.ts'

/** What a command said. */
interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface World extends AsyncDisposable {
  readonly folder: string
  run(argv: readonly string[], env?: Record<string, string>, input?: string): Promise<Outcome>
}

/** A home of its own, and stdin and stdout that are strings. */
export async function world(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-cli-'))
  return {
    folder,
    async run(argv, env = {}, input = '') {
      const interrupted = new AbortController()
      const said = { stdout: '', stderr: '' }
      const sink = (name: 'stdout' | 'stderr') => {
        const stream = new PassThrough()
        stream.on('data', (bytes) => {
          said[name] += bytes
        })
        return stream
      }
      const shell: Shell = {
        stdin: Readable.from(input === '' ? [] : [input]),
        stdout: sink('stdout'),
        stderr: sink('stderr'),
        env,
        configFolder: join(folder, 'postern'),
        clock: systemClock,
        signal: interrupted.signal,
      }
      const code = await runCommandLine(argv, shell, interrupted)
      await new Promise((resolve) => setImmediate(resolve))
      return { code, ...said }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export interface Answer {
  readonly status?: number
  readonly type?: string
  readonly body: unknown
  readonly headers?: Record<string, string>
}

/** A server that answers like a service; the requests it got are kept. */
export async function serving(answer: (request: IncomingMessage) => Answer) {
  const requests: { readonly method: string; readonly path: string; readonly authorization: string; readonly body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => {
      requests.push({ method: request.method ?? '', path: request.url ?? '', authorization: request.headers.authorization ?? '', body })
      const { status = 200, type = 'application/json', headers = {}, body: text } = answer(request)
      response.writeHead(status, { 'content-type': type, ...headers }).end(typeof text === 'string' ? text : JSON.stringify(text))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return { url, requests, env: { POSTERN_URL: url, POSTERN_TOKEN: 'token-1' }, [Symbol.asyncDispose]: async () => void server.close() }
}

export const problem = (status: number, code: string, detail: string): Answer => ({
  status,
  type: 'application/problem+json',
  body: { code, title: 'A title.', detail, remedy: 'Do this.', status, requestId: 'req-1' },
})

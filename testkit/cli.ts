/** Runs one `postern` command to its end, as a person or a script would. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../cli/postern.js', import.meta.url))
const LIMIT_MS = 60_000

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to its stdin; without it stdin is empty. */
  readonly input?: string
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** Called with each piece of its stdout, while it runs. */
  readonly heard?: (text: string) => void
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  json<T>(): T
}

export function postern(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: 'pipe',
      timeout: LIMIT_MS,
      ...(options.signal ? { signal: options.signal, killSignal: 'SIGINT' as const } : {}),
    })
    const said: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
    child.stdout.on('data', (bytes: Buffer) => {
      said.stdout.push(bytes)
      options.heard?.(bytes.toString())
    })
    child.stderr.on('data', (bytes: Buffer) => said.stderr.push(bytes))
    child.once('error', (error) => (error.name === 'AbortError' ? undefined : reject(error)))
    child.once('close', (code) => {
      const [stdout, stderr] = [Buffer.concat(said.stdout).toString(), Buffer.concat(said.stderr).toString()]
      resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Processes of `postern`, started as a user would start them. Their pids are kept in a file, so that the next demo can end what a killed one left. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../tools/steps.ts'

const MAIN = join(ROOT, 'cli/postern.js')
const READY_MS = 60_000
const STOP_MS = 15_000
const COMMAND_MS = 60_000

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class Processes implements AsyncDisposable {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #running = new Map<string, ChildProcess>()

  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder
    this.#env = env
    mkdirSync(join(folder, 'logs'), { recursive: true })
  }

  /** Starts `postern ARGS` in the background; resolves with the rest of its line "ready …". */
  async start(name: string, args: readonly string[]): Promise<string> {
    const log = openSync(join(this.#folder, 'logs', `${name}.log`), 'a')
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', log],
      env: this.#env,
      cwd: ROOT,
      // A group of its own: Ctrl-C reaches the demo only, which stops them in order.
      detached: process.platform !== 'win32',
    })
    closeSync(log)
    this.#running.set(name, child)
    appendFileSync(join(this.#folder, 'pids'), `${child.pid}\n`)
    if (!child.stdout) throw new Error(`${name} has no output`)
    const ready = await this.#readyLine(name, child.stdout)
    child.stdout.resume()
    return ready
  }

  async #readyLine(name: string, output: Readable): Promise<string> {
    const lines = createInterface({ input: output })
    const late = setTimeout(() => lines.close(), READY_MS)
    try {
      for await (const line of lines) if (line.startsWith('ready ')) return line.slice('ready '.length).trim()
    } finally {
      clearTimeout(late)
    }
    throw new Error(`${name} did not start; its log: ${join(this.#folder, 'logs', `${name}.log`)}\n${this.#lastWords(name)}`)
  }

  #lastWords(name: string): string {
    return readFileSync(join(this.#folder, 'logs', `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-5)
      .join('\n')
  }

  /** Runs `postern ARGS` to its end. */
  async run(args: readonly string[], input = ''): Promise<Answer> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.#env,
      cwd: ROOT,
      timeout: COMMAND_MS,
      killSignal: 'SIGKILL',
    })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text))
    child.stdin.on('error', () => undefined) // it may end before it has read all
    child.stdin.end(input)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? 1, ...said }
  }

  /** No goodbye: what a power cut does. */
  async kill(name: string): Promise<void> {
    const child = this.#running.get(name)
    this.#running.delete(name)
    child?.kill('SIGKILL')
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  async stop(name: string): Promise<void> {
    const child = this.#running.get(name)
    this.#running.delete(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const ended = await Promise.race([gone.then(() => true), sleep(STOP_MS, false, { ref: false })])
    if (ended) return
    child.kill('SIGKILL')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nodes first, so that they can say goodbye to the service.
    for (const name of [...this.#running.keys()].reverse()) await this.stop(name)
  }
}

/** Ends the processes of an earlier demo in this folder that was killed before it could. A pid that has gone to another program stays. */
export function endLeftovers(folder: string): number {
  let pids: readonly number[]
  try {
    pids = readFileSync(join(folder, 'pids'), 'utf8')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return 0
  }
  const ours = pids.filter((pid) => commandOf(pid).includes(MAIN))
  for (const pid of ours) process.kill(pid, 'SIGKILL')
  return ours.length
}

/** The command line of a process, or of `all`, a line each; empty when it is not there or cannot be seen. */
export function commandOf(pid: number | 'all'): string {
  if (process.platform === 'win32') return ''
  const which = pid === 'all' ? ['-A', '-ww'] : ['-p', String(pid), '-ww']
  try {
    return execFileSync('ps', [...which, '-o', 'args='], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return '' // no such process, or no ps: then nothing is ended
  }
}

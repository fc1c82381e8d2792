/** A `postern` process of a test: started, watched, killed, paused; what it said is kept for the failure message. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../cli/postern.js', import.meta.url))
const START_MS = 60_000
const STOP_MS = 30_000
const KEPT_CHARACTERS = 200_000

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly startMs?: number
  /** The folder it is started in; that of the tests when left out. */
  readonly cwd?: string
}

export class PosternProcess implements AsyncDisposable {
  readonly #args: readonly string[]
  readonly #options: ProcessOptions
  #child: ChildProcess | undefined
  #log = ''
  #said = ''

  constructor(args: readonly string[], options: ProcessOptions = {}) {
    this.#args = args
    this.#options = options
  }

  /** Starts it and waits for its line `ready …`; gives what stands after it. Also starts it again after it has ended. */
  async start(): Promise<string> {
    if (this.running) throw new Error('It runs already.')
    this.#said = ''
    const child = spawn(process.execPath, [MAIN, ...this.#args], {
      env: { ...process.env, POSTERN_LOG: 'info', ...this.#options.env },
      ...(this.#options.cwd === undefined ? {} : { cwd: this.#options.cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const endWithUs = () => child.kill('SIGKILL')
    process.once('exit', endWithUs)
    child.once('exit', () => process.off('exit', endWithUs))
    child.stderr.on('data', (bytes: Buffer) => {
      this.#log = (this.#log + bytes.toString()).slice(-KEPT_CHARACTERS)
    })
    return this.#ready(child)
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('It does not run.')
    return pid
  }

  /** Everything it wrote to stderr, over all its starts (the last 200,000 characters). */
  get log(): string {
    return this.#log
  }

  /** Ends it at once. SIGKILL gives it no chance to say goodbye. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#child
    if (!child || !this.running) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(timer)
    return child.exitCode
  }

  /** Asks it to end, as an operator does. Resolves with its exit code. */
  stop(): Promise<number | null> {
    return this.kill('SIGTERM')
  }

  /** It stays there and does nothing: the machine hangs, or was put to sleep. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #ready(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer)
        child.kill('SIGKILL')
        reject(new Error(`postern ${this.#args.join(' ')}: ${why}. It said:\n${this.#log.slice(-4_000)}`))
      }
      const timer = setTimeout(() => fail('not ready in time'), this.#options.startMs ?? START_MS)
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`))
      child.stdout?.on('data', (bytes: Buffer) => {
        this.#said += bytes.toString()
        const line = /^ready (.+)$/m.exec(this.#said)
        if (!line?.[1]) return
        clearTimeout(timer)
        child.removeAllListeners('exit')
        resolve(line[1].trim())
      })
    })
  }
}

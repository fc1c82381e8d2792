/** A line that somebody types at the shell of a machine where Postern is installed, and what runs because of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type TestFolder, testFolder } from './folder.ts'
import { waitFor } from './wait-for.ts'

/** What `npm ci` made in the clone: `npx postern` finds the program there. */
const INSTALLED = resolve(import.meta.dirname, '..', 'node_modules')
const START_MS = 60_000
const STOP_MS = 20_000
const KEPT_CHARACTERS = 50_000

export class TypedLine implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: TestFolder
  #said = ''

  private constructor(line: string, folder: TestFolder) {
    this.#folder = folder
    this.#child = spawn('/bin/sh', ['-c', line], {
      cwd: folder.path,
      // npm asks its registry now and then whether there is a newer npm: not in a test.
      env: { ...process.env, npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what the shell and npx have started ends with them.
      detached: true,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.#said = (this.#said + bytes.toString()).slice(-KEPT_CHARACTERS)
      })
  }

  /** In a folder of its own, as it is after an installation. */
  static async type(line: string): Promise<TypedLine> {
    const folder = await testFolder()
    await symlink(INSTALLED, join(folder.path, 'node_modules'))
    return new TypedLine(line, folder)
  }

  /** The name that stands behind `ready`. */
  async ready(): Promise<string> {
    const said = await waitFor(
      'the line says ready',
      () => this.#said,
      (text) => READY.test(text) || this.#ended,
      { timeoutMs: START_MS },
    )
    const name = READY.exec(said)?.[1]
    if (name === undefined) throw new Error(`The line has ended. It said:\n${said}`)
    return name.trim()
  }

  /** The folder in which it was typed. */
  get folder(): string {
    return this.#folder.path
  }

  /** As Ctrl-C in its terminal, which reaches all that it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      const gone = once(this.#child, 'exit')
      this.#signal('SIGINT')
      const timer = setTimeout(() => this.#signal('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(timer)
    }
    // The shell may be gone before what it has started.
    this.#signal('SIGKILL')
    await this.#folder[Symbol.asyncDispose]()
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // All of it has ended.
    }
  }
}

const READY = /^ready (.+)$/m

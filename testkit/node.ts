/** A node as a process: joined to a gateway, started, killed, paused, cut off. */
import { join } from 'node:path'
import { postern } from './cli.ts'
import { type TestFolder, testFolder } from './folder.ts'
import { PosternProcess } from './process.ts'

export interface TestNodeOptions {
  readonly name: string
  /** The service's URL as this node reaches it: straight, or through a flaky link. */
  readonly url: string
  /** An authentication key of the gateway. */
  readonly key: string
  /** For a gateway that has no node left. */
  readonly recoveryKey?: string
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

export class TestNode implements AsyncDisposable {
  readonly name: string
  readonly data: string
  /** Its own folder, in which it runs: /proc/self/cwd is another place for each node. */
  readonly cwd: string
  readonly process: PosternProcess
  readonly #folder: TestFolder

  private constructor(options: TestNodeOptions, folder: TestFolder) {
    this.name = options.name
    this.#folder = folder
    this.cwd = folder.path
    this.data = join(folder.path, 'node')
    const args = ['node', 'start', '--data', this.data, '--channel-port', '0', '--console-port', '0', ...(options.args ?? [])]
    this.process = new PosternProcess(args, { cwd: folder.path, ...(options.env ? { env: options.env } : {}) })
  }

  /** Joins the gateway and starts. */
  static async start(options: TestNodeOptions): Promise<TestNode> {
    const node = await TestNode.join(options)
    try {
      await node.process.start()
      return node
    } catch (cause) {
      await node[Symbol.asyncDispose]()
      throw cause
    }
  }

  /** Joins the gateway; `restart` starts it. */
  static async join(options: TestNodeOptions): Promise<TestNode> {
    const folder = await testFolder()
    const node = new TestNode(options, folder)
    try {
      const { name, url, key, recoveryKey, env } = options
      const words = ['node', 'join', '--url', url, '--key', key, '--name', name, '--data', node.data]
      const recovery = recoveryKey === undefined ? {} : { input: `${recoveryKey}\n` }
      const joined = await postern([...words, ...(recoveryKey === undefined ? [] : ['--recovery-key'])], {
        ...recovery,
        ...(env ? { env } : {}),
      })
      if (joined.code !== 0) throw new Error(`node join ended with ${joined.code}:\n${joined.stderr}`)
      return node
    } catch (cause) {
      await node[Symbol.asyncDispose]()
      throw cause
    }
  }

  kill(): Promise<number | null> {
    return this.process.kill('SIGKILL')
  }

  pause(): void {
    this.process.pause()
  }

  resume(): void {
    this.process.resume()
  }

  /** Starts it again on the same data. */
  async restart(): Promise<void> {
    await this.process.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }
}

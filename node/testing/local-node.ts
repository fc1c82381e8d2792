/** A node inside the test's own process, joined and started, with a folder that goes with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@postern/base/clock.ts'
import { silentLog } from '@postern/base/log.ts'
import { systemRandom } from '@postern/base/random.ts'
import type { NodeFacts } from '@postern/protocol/console-api.ts'
import type { Environment } from '../calls/proxy.ts'
import { type Joined, joinNode } from '../join/join.ts'
import { type RunningNode, startNode } from '../node.ts'

const base = { log: silentLog, clock: systemClock, random: systemRandom }

export interface LocalNodeOptions {
  readonly url: string
  readonly key: string
  readonly name: string
  readonly environment?: Environment
  readonly version?: string
  readonly channelPort?: number
  /** Where it tells the others that its channel is. */
  readonly channelHost?: string
}

export class LocalNode implements AsyncDisposable {
  readonly data: string
  readonly joined: Joined
  readonly #options: LocalNodeOptions
  readonly #consolePort: number
  #running: RunningNode | undefined

  private constructor(data: string, joined: Joined, options: LocalNodeOptions, consolePort: number) {
    this.data = data
    this.joined = joined
    this.#options = options
    this.#consolePort = consolePort
  }

  static async start(options: LocalNodeOptions): Promise<LocalNode> {
    const data = await mkdtemp(join(tmpdir(), 'postern-node-'))
    try {
      const joined = await joinNode({ environment: {}, ...options, ...base, data })
      const node = new LocalNode(data, joined, options, await freePort())
      await node.restart()
      return node
    } catch (cause) {
      await rm(data, { recursive: true, force: true })
      throw cause
    }
  }

  get running(): RunningNode {
    if (!this.#running) throw new Error('The node does not run.')
    return this.#running
  }

  async restart(): Promise<void> {
    await this.stop()
    const { environment = {}, version, channelPort = 0, channelHost } = this.#options
    const options = { ...base, environment, data: this.data, channelPort, channelHost, consolePort: this.#consolePort }
    this.#running = await startNode(version === undefined ? options : { ...options, version })
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  /** What `GET /status` says. */
  status(): Promise<NodeFacts> {
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: this.#consolePort, path: '/status', agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(JSON.parse(text)))
      }).on('error', reject)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.data, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

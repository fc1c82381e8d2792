import type { Clock } from '@postern/base/clock.ts'
import type { Log } from '@postern/base/log.ts'
import type { Random } from '@postern/base/random.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { Environment } from './calls/proxy.ts'

export interface NodeOptions {
  readonly data: string
  /** 0 = any free port. */
  readonly channelPort: number
  /** Where other nodes find this one; the address it reaches the service from when left out. */
  readonly channelHost?: string | undefined
  /** A page of the node's state on 127.0.0.1; none when left out. */
  readonly consolePort?: number | undefined
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  /** Where HTTPS_PROXY and NO_PROXY are read; the process's own when left out. */
  readonly environment?: Environment
}

export interface RunningNode {
  readonly name: string
  readonly gateway: string
  readonly channelPort: number
  /** Takes no new work and finishes what it has. */
  drain(deadline: AbortSignal): Promise<void>
  /** Drains until the deadline, says goodbye, stops. The same promise for every caller. */
  stop(deadline?: AbortSignal): Promise<void>
}

export async function startNode(_options: NodeOptions): Promise<RunningNode> {
  throw new Fault('STOPPING')
}

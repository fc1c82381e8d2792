import type { IncomingMessage } from 'node:http'
import type { Clock } from '@postern/base/clock.ts'
import { BRIDGE_LIMITS, FRAME } from '@postern/protocol/bridge.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { RunId, TaskId } from '@postern/protocol/ids.ts'
import { SERVICE_PATHS } from '@postern/protocol/link.ts'
import { FaultMessage } from '@postern/protocol/node-api.ts'
import type { ServiceClient } from '../calls/service-client.ts'
import type { BridgeCall } from './bridge-call.ts'
import { type Frame, FrameOpener } from './frames.ts'
import { sealCall } from './sealed-call.ts'

interface BridgeClientParts {
  readonly service: Pick<ServiceClient, 'stream'>
  readonly clock: Clock
}

/** On whose behalf: the service lets only a running attempt of the run call. */
export interface Caller {
  readonly run: RunId
  readonly task: TaskId
  readonly attempt: number
  /** Of the source's gateway. */
  readonly publicKey: string
}

/** An answer whose head has come; what follows is read only as fast as it is taken. */
export interface BridgeAnswer {
  readonly head: unknown
  /** The frames after the head, `end` being the last; fails where the answer fails, is cut or falls silent. */
  readonly frames: AsyncGenerator<Frame>
  /** Ends the answer: whatever the other side does for it stops. */
  close(): void
}

/** Calls of a task to a store of another gateway, through the service. */
export class BridgeClient {
  readonly #parts: BridgeClientParts

  constructor(parts: BridgeClientParts) {
    this.#parts = parts
  }

  async call(caller: Caller, call: BridgeCall, signal: AbortSignal): Promise<BridgeAnswer> {
    const { run, task, attempt, publicKey } = caller
    const { sealed, answerKey } = await sealCall(publicKey, run, JSON.stringify(call))
    const body = { run, task, attempt, sealed }
    const response = await this.#parts.service.stream({ path: SERVICE_PATHS.bridge, body }, signal)
    const frames = this.#frames(response, new FrameOpener(answerKey), signal)
    const close = () => void response.destroy()
    try {
      const first = await frames.next()
      if (first.done || first.value.kind !== FRAME.head) throw cut()
      return { head: JSON.parse(first.value.payload.toString()), frames, close }
    } catch (cause) {
      close()
      throw cause
    }
  }

  async *#frames(response: IncomingMessage, opener: FrameOpener, signal: AbortSignal): AsyncGenerator<Frame> {
    const quiet = new Quiet(this.#parts.clock, () => response.destroy(new Fault('BRIDGE_BROKEN', { at: 'It has fallen silent.' })))
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        quiet.pause()
        for (const frame of opener.push(chunk)) {
          if (frame.kind === FRAME.alive) continue
          if (frame.kind === FRAME.fault) throw Fault.fromJson(FaultMessage.parse(JSON.parse(frame.payload.toString())))
          yield frame
          if (frame.kind === FRAME.end) return
        }
        quiet.resume()
      }
      throw cut()
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      throw cause instanceof Fault ? cause : new Fault('BRIDGE_BROKEN', { cause })
    } finally {
      quiet.pause()
      response.destroy()
    }
  }
}

function cut(): Fault {
  return new Fault('BRIDGE_BROKEN', { at: 'It ended before its end.' })
}

/** Calls when nothing has come for too long while something was waited for. */
class Quiet {
  readonly #clock: Clock
  readonly #tooLong: () => void
  #waiting: AbortController | undefined

  constructor(clock: Clock, tooLong: () => void) {
    this.#clock = clock
    this.#tooLong = tooLong
    this.resume()
  }

  pause(): void {
    this.#waiting?.abort()
    this.#waiting = undefined
  }

  resume(): void {
    const waiting = new AbortController()
    this.#waiting = waiting
    this.#clock.sleep(BRIDGE_LIMITS.silentMs, waiting.signal).then(this.#tooLong, () => undefined)
  }
}

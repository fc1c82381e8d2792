import type { ServerResponse } from 'node:http'
import type { Component } from '@postern/base/lifecycle.ts'
import { Event } from '@postern/protocol/api/events.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name, RunId } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { EventBus } from './event-bus.ts'

/** A comment so often keeps middleboxes from cutting a quiet connection. */
const HEARTBEAT_MS = 15_000
/** What may wait for one client; a slower one is cut, and reads the lists again when it is back. */
const BUFFER_BYTES = 1 << 20
const MOST_CLIENTS = 1_000

const EventQuery = z.object({
  run: RunId.optional().meta({ description: 'Only events of this run' }),
  gateway: Name.optional().meta({ description: 'Only events of the nodes of this gateway' }),
  type: z.string().max(100).optional().meta({ description: 'Only these types, separated by commas: node, run, task, query' }),
})
type EventQuery = z.infer<typeof EventQuery>

/** The clients that listen by `GET /v1/events`. */
export class EventStreams implements Component {
  readonly name = 'event-streams'
  readonly #bus: EventBus
  readonly #open = new Set<ServerResponse>()
  #stopped = false

  constructor(bus: EventBus) {
    this.#bus = bus
  }

  get size(): number {
    return this.#open.size
  }

  async start(): Promise<void> {}

  async drain(): Promise<void> {
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const raw of this.#open) raw.end()
  }

  /** Takes over the response. */
  serve(raw: ServerResponse, wanted: EventQuery): void {
    if (this.#stopped) throw new Fault('STOPPING')
    if (this.#open.size >= MOST_CLIENTS) throw new Fault('STOPPING', { at: `${MOST_CLIENTS} clients listen already.` })
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    raw.write(': postern\n\n')
    const matches = filterOf(wanted)
    const forget = this.#bus.listen((event) => {
      if (matches(event)) send(raw, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    })
    const heartbeat = setInterval(() => send(raw, ':\n\n'), HEARTBEAT_MS)
    this.#open.add(raw)
    raw.once('close', () => {
      forget()
      clearInterval(heartbeat)
      this.#open.delete(raw)
    })
  }
}

export const eventRoutes =
  (streams: EventStreams): Routes =>
  async (http) => {
    http.get(
      '/v1/events',
      {
        schema: {
          summary: 'What happens, as it happens (Server-Sent Events)',
          description: `Each event is one JSON object; the SSE event name is its \`type\`: ${Event.options.map((option) => option.shape.type.value).join(', ')}.`,
          tags: ['events'],
          querystring: EventQuery,
        },
        config: { needs: 'caller' },
      },
      async (request, reply) => {
        streams.serve(reply.raw, request.query)
        reply.hijack()
      },
    )
  }

function send(raw: ServerResponse, text: string): void {
  if (raw.destroyed) return
  if (raw.writableLength > BUFFER_BYTES) raw.destroy()
  else raw.write(text)
}

function filterOf({ run, gateway, type }: EventQuery): (event: Event) => boolean {
  const types = type === undefined ? undefined : new Set(type.split(','))
  return (event) => {
    if (types && !types.has(event.type)) return false
    if (run !== undefined && !('run' in event && event.run === run)) return false
    return gateway === undefined || ('gateway' in event && event.gateway === gateway)
  }
}

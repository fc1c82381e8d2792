import { VERSION } from '@postern/base/version.ts'
import type { FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { z } from 'zod'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import type { Routes } from './http-server.ts'
import { isLoopbackAddress } from './loopback-address.ts'
import type { Doorkeeper } from './needs.ts'

export interface PlainRoutesParts {
  readonly database: { ping(): Promise<void> }
  readonly metrics: Registry
  readonly doorkeeper: Pick<Doorkeeper, 'caller'>
}

/** What machines ask: alive, ready, figures. */
export const plainRoutes =
  (parts: PlainRoutesParts): Routes =>
  async (http) => {
    const { database, metrics, doorkeeper } = parts
    const tags = ['operation']

    http.get(
      '/healthz',
      {
        schema: {
          summary: 'The process is alive',
          tags,
          response: { 200: z.object({ status: z.literal('ok'), service: z.literal('postern'), version: z.string() }) },
        },
        config: { needs: 'none' },
      },
      () => ({ status: 'ok' as const, service: 'postern' as const, version: VERSION }),
    )

    http.get(
      '/readyz',
      {
        schema: { summary: 'It can answer: its database does', tags, response: { 200: z.object({ status: z.literal('ready') }) } },
        config: { needs: 'none' },
      },
      async () => {
        await database.ping()
        return { status: 'ready' as const }
      },
    )

    http.get(
      '/metrics',
      {
        schema: {
          summary: 'Figures for Prometheus: on this machine for everybody, from elsewhere with a token that may see nodes',
          tags,
        },
        config: { needs: 'none' },
      },
      async (request, reply) => {
        // They name every gateway and node, and say how busy they are.
        if (!isHere(request)) (await doorkeeper.caller(request.headers.authorization, request, request.ip)).need('nodes:read')
        return reply.type(metrics.contentType).send(await metrics.metrics())
      },
    )
  }

/** Somebody on this machine; not a proxy on it that says that it asks for somebody else. */
function isHere({ socket, headers }: FastifyRequest): boolean {
  return isLoopbackAddress(socket.remoteAddress) && headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined
}

/** One registry a service: several may live in one process. */
export function createMetrics(nodes: NodeDirectory): Registry {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  const registers = [metrics]
  new Gauge({
    name: 'postern_nodes',
    help: 'Nodes by gateway and status',
    labelNames: ['gateway', 'status'],
    registers,
    collect() {
      this.reset()
      for (const { id, name } of nodes.gateways()) for (const { status } of nodes.nodesOf(id)) this.inc({ gateway: name, status })
    },
  })
  for (const [name, help, pick] of FIGURES)
    new Gauge({
      name,
      help,
      labelNames: ['gateway', 'node'],
      registers,
      collect() {
        this.reset()
        for (const gateway of nodes.gateways())
          for (const node of nodes.nodesOf(gateway.id))
            if (node.alive() && node.beat) this.set({ gateway: gateway.name, node: node.name }, pick(node.beat))
      },
    })
  return metrics
}

type Figures = {
  readonly cpuPercent: number
  readonly availableMemoryBytes: number
  readonly runningQueries: number
  readonly running: readonly unknown[]
}
const FIGURES: readonly (readonly [string, string, (beat: Figures) => number])[] = [
  ['postern_node_cpu_percent', 'CPU of a node as it said last', (beat) => beat.cpuPercent],
  ['postern_node_available_memory_bytes', 'Memory that a node can still use', (beat) => beat.availableMemoryBytes],
  ['postern_node_running_queries', 'Queries that run on a node', (beat) => beat.runningQueries],
  ['postern_node_running_jobs', 'Copy tasks that run on a node', (beat) => beat.running.length],
]

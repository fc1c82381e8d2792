import { GatewayCreate, GatewayCreated, GatewayKeys, GatewayView, KeyRegenerate, KeyRegenerated } from '@postern/protocol/api/gateways.ts'
import { GatewayChange } from '@postern/protocol/api/lists.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { gatewayView } from '../nodes/node-views.ts'
import { actorOf, callerOf } from '../rights/actor.ts'
import type { QueueLengths } from '../runs/queue-lengths.ts'
import type { GatewayService } from './gateway-service.ts'

const Params = z.object({ gateway: Name })
const SlotParams = Params.extend({ slot: z.enum(['1', '2']) })

export interface GatewayRouteParts {
  readonly gateways: GatewayService
  readonly nodes: NodeDirectory
  readonly queues: Pick<QueueLengths, 'of'>
}

export const gatewayRoutes =
  (parts: GatewayRouteParts): Routes =>
  async (http) => {
    const { gateways, nodes, queues } = parts

    http.get(
      '/v1/gateways',
      {
        schema: { summary: 'List the gateways', tags: ['gateways'], querystring: PageQuery, response: { 200: pageOf(GatewayView) } },
        config: { needs: 'gateways:read', on: 'inside' },
      },
      (request) => {
        const { limit, cursor } = request.query
        return page(
          gateways.list(readCursor(cursor) ?? '', limit + 1, callerOf(request)),
          limit,
          ({ name }) => name,
          (gateway) => ({ ...gatewayView(gateway, nodes), queue: queues.of(gateway.id) }),
        )
      },
    )

    http.post(
      '/v1/gateways',
      {
        schema: {
          summary: 'Create a gateway; where the service makes its two authentication keys, this answer is the only one that shows them',
          tags: ['gateways'],
          body: GatewayCreate,
          response: { 201: GatewayCreated },
        },
        config: { needs: 'gateways:write' },
      },
      async (request, reply) => {
        const { name, settings = {}, keys } = request.body
        return reply.code(201).send(await gateways.create(name, { settings, keys }, actorOf(request)))
      },
    )

    http.get(
      '/v1/gateways/:gateway',
      {
        schema: { summary: 'Show a gateway and its nodes', tags: ['gateways'], params: Params, response: { 200: GatewayView } },
        config: { needs: 'gateways:read', on: 'gateway' },
      },
      ({ params }) => {
        const view = gateways.show(params.gateway)
        return { ...view, queue: queues.of(view.id) }
      },
    )

    http.patch(
      '/v1/gateways/:gateway',
      {
        schema: {
          summary: 'Change settings; those that are not named stay',
          tags: ['gateways'],
          params: Params,
          body: GatewayChange,
          response: { 200: GatewayView },
        },
        config: { needs: 'gateways:write', on: 'gateway' },
      },
      (request) => gateways.change(request.params.gateway, request.body.settings, actorOf(request)),
    )

    http.delete(
      '/v1/gateways/:gateway',
      {
        schema: {
          summary: 'Delete a gateway that has no nodes and no stores',
          tags: ['gateways'],
          params: Params,
          response: { 204: z.null() },
        },
        config: { needs: 'gateways:write', on: 'gateway' },
      },
      async (request, reply) => {
        await gateways.delete(request.params.gateway, actorOf(request))
        return reply.code(204).send(null)
      },
    )

    http.get(
      '/v1/gateways/:gateway/keys',
      {
        schema: { summary: 'What is known of the keys: hints only', tags: ['gateways'], params: Params, response: { 200: GatewayKeys } },
        config: { needs: 'gateways:keys', on: 'gateway' },
      },
      async ({ params }) => ({
        keys: (await gateways.keys(params.gateway)).map(({ slot, hint, createdAt }) => ({
          slot,
          hint,
          createdAt: createdAt.toISOString(),
        })),
      }),
    )

    http.post(
      '/v1/gateways/:gateway/keys/:slot',
      {
        schema: {
          summary: 'Make a new key in this slot; the old one opens nothing any more',
          tags: ['gateways'],
          params: SlotParams,
          body: KeyRegenerate,
          response: { 200: KeyRegenerated },
        },
        config: { needs: 'gateways:keys', on: 'gateway' },
      },
      (request) => {
        const { gateway, slot } = request.params
        return gateways.regenerate(gateway, slot === '1' ? 1 : 2, request.body ?? undefined, actorOf(request))
      },
    )
  }

import { NodeView } from '@postern/protocol/api/gateways.ts'
import { NodeChange } from '@postern/protocol/api/lists.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { actorOf } from '../rights/actor.ts'
import type { NodeService } from './node-service.ts'

const Params = z.object({ gateway: Name })
const NodeParams = Params.extend({ node: Name })

const SWITCHES = {
  drain: 'Let a node finish what it has and take nothing new',
  enable: 'Let a node take work again',
  disable: 'Switch a node off: it takes no work, what runs goes on',
} as const

export const nodeRoutes =
  (nodes: NodeService): Routes =>
  async (http) => {
    http.get(
      '/v1/gateways/:gateway/nodes',
      {
        schema: {
          summary: 'List the nodes of a gateway',
          tags: ['nodes'],
          params: Params,
          querystring: PageQuery,
          response: { 200: pageOf(NodeView) },
        },
        config: { needs: 'nodes:read', on: 'gateway' },
      },
      ({ params, query: { limit, cursor } }) => {
        const after = placeOf(cursor)
        const from = nodes.list(params.gateway).slice(after)
        return page(
          from,
          limit,
          () => after + limit,
          (node) => nodes.view(node),
        )
      },
    )

    http.get(
      '/v1/gateways/:gateway/nodes/:node',
      {
        schema: { summary: 'Show a node', tags: ['nodes'], params: NodeParams, response: { 200: NodeView } },
        config: { needs: 'nodes:read', on: 'gateway' },
      },
      ({ params }) => nodes.show(params.gateway, params.node),
    )

    http.patch(
      '/v1/gateways/:gateway/nodes/:node',
      {
        schema: {
          summary: "Rename a node, or set settings of its own over the gateway's",
          tags: ['nodes'],
          params: NodeParams,
          body: NodeChange,
          response: { 200: NodeView },
        },
        config: { needs: 'nodes:write', on: 'gateway' },
      },
      (request) => nodes.patch(request.params.gateway, request.params.node, request.body, actorOf(request)),
    )

    for (const [action, summary] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, string][])
      http.post(
        `/v1/gateways/:gateway/nodes/:node/${action}`,
        {
          schema: { summary, tags: ['nodes'], params: NodeParams, response: { 200: NodeView } },
          config: { needs: 'nodes:write', on: 'gateway' },
        },
        (request) => nodes[action](request.params.gateway, request.params.node, actorOf(request)),
      )

    http.delete(
      '/v1/gateways/:gateway/nodes/:node',
      {
        schema: { summary: 'Delete a node from its gateway', tags: ['nodes'], params: NodeParams, response: { 204: z.null() } },
        config: { needs: 'nodes:write', on: 'gateway' },
      },
      async (request, reply) => {
        await nodes.delete(nodes.find(request.params.gateway, request.params.node), actorOf(request))
        return reply.code(204).send(null)
      },
    )
  }

function placeOf(cursor: string | undefined): number {
  const text = readCursor(cursor) ?? '0'
  if (!/^\d{1,9}$/.test(text)) throw new Fault('INPUT_INVALID', { at: 'query cursor: not one of ours.' })
  return Number(text)
}

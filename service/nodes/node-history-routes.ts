import { GatewayHistory, NodeHistory } from '@postern/protocol/api/node-history.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import { PageQuery, page, pageOf, readCursor } from '../http/paging.ts'
import { callerOf } from '../rights/actor.ts'
import type { NodeDirectory } from './node-directory.ts'
import type { NodeHistories } from './node-histories.ts'
import type { NodeService } from './node-service.ts'

/** Five minutes: what is drawn beside a figure. */
const NEWEST = 60

const HistoryList = PageQuery.extend({ gateway: Name.optional().meta({ description: 'Only nodes of this gateway' }) })

export interface NodeHistoryRouteParts {
  readonly service: Pick<NodeService, 'find'>
  readonly nodes: Pick<NodeDirectory, 'gateways' | 'nodesOf'>
  readonly histories: Pick<NodeHistories, 'of' | 'newestOf' | 'everyMs'>
}

export const nodeHistoryRoutes =
  ({ service, nodes, histories }: NodeHistoryRouteParts): Routes =>
  async (http) => {
    http.get(
      '/v1/gateways/:gateway/nodes/:node/history',
      {
        schema: {
          summary: "The last hour of a node's figures, every five seconds; begins anew with the service",
          tags: ['nodes'],
          params: z.object({ gateway: Name, node: Name }),
          response: { 200: NodeHistory },
        },
        config: { needs: 'nodes:read', on: 'gateway' },
      },
      ({ params }) => histories.of(service.find(params.gateway, params.node).id),
    )

    http.get(
      '/v1/histories',
      {
        schema: {
          summary: 'The last five minutes of the figures of all nodes, gateway by gateway',
          tags: ['nodes'],
          querystring: HistoryList,
          response: { 200: pageOf(GatewayHistory) },
        },
        config: { needs: 'nodes:read', on: 'inside' },
      },
      (request) => {
        const { limit, cursor, gateway } = request.query
        const after = readCursor(cursor) ?? ''
        const caller = callerOf(request)
        const wanted = nodes
          .gateways()
          .filter(({ id, name }) => name > after && (gateway ?? name) === name && caller.may('nodes:read', { gateway: id }))
          .sort((a, b) => (a.name < b.name ? -1 : 1))
        return page(
          wanted.slice(0, limit + 1),
          limit,
          ({ name }) => name,
          ({ id, name }) => ({
            ...{ id, gateway: name, everyMs: histories.everyMs },
            nodes: nodes.nodesOf(id).map((node) => ({ id: node.id, ...histories.newestOf(node.id, NEWEST) })),
          }),
        )
      },
    )
  }

import { NodeHistory } from '@postern/protocol/api/node-history.ts'
import { Name } from '@postern/protocol/ids.ts'
import { z } from 'zod'
import type { Routes } from '../http/http-server.ts'
import type { NodeHistories } from './node-histories.ts'
import type { NodeService } from './node-service.ts'

export const nodeHistoryRoutes =
  (nodes: Pick<NodeService, 'find'>, histories: Pick<NodeHistories, 'of'>): Routes =>
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
      ({ params }) => histories.of(nodes.find(params.gateway, params.node).id),
    )
  }

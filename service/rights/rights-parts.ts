/** Groups, grants and tokens, put together. */
import type { Clock } from '@postern/base/clock.ts'
import type { Random } from '@postern/base/random.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { Database } from '../db/database.ts'
import type { Routes } from '../http/http-server.ts'
import type { NodeDirectory } from '../nodes/node-directory.ts'
import { groupRoutes } from '../people/group-routes.ts'
import { GroupService } from '../people/group-service.ts'
import type { StoreDirectory } from '../stores/store-directory.ts'
import { TokenIssue } from '../tokens/token-issue.ts'
import type { TokenRepository } from '../tokens/token-repository.ts'
import { tokenRoutes } from '../tokens/token-routes.ts'
import { TokenService } from '../tokens/token-service.ts'
import type { Callers } from './callers.ts'
import { GrantRepository } from './grant-repository.ts'
import { grantRoutes } from './grant-routes.ts'
import { GrantService } from './grant-service.ts'
import { Places } from './places.ts'

export interface RightsNeeds {
  readonly db: Database['db']
  readonly tokenRepository: TokenRepository
  readonly callers: Callers
  readonly nodes: NodeDirectory
  readonly stores: StoreDirectory
  readonly audit: AuditLog
  readonly clock: Clock
  readonly random: Random
}

export function buildRights(needs: RightsNeeds) {
  const { db, tokenRepository, callers, nodes, stores, audit, clock, random } = needs
  const places = new Places({ gateway: (name) => nodes.gatewayByName(name), store: (name) => stores.byName(name) })
  const tokens = new TokenService({ tokens: tokenRepository, callers, clock, random })
  const grants = new GrantService({ db, places, audit, random })
  const groups = new GroupService({ db, audit, random })
  const issue = new TokenIssue({ db, tokens, repository: tokenRepository, grants: new GrantRepository(db), places, audit })
  const routes: readonly Routes[] = [tokenRoutes(issue), grantRoutes(grants), groupRoutes(groups)]
  return { tokens, places, grants, groups, routes }
}

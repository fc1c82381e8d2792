import { Roles } from '@postern/protocol/api/rights.ts'
import type { Routes } from '../http/http-server.ts'
import { type AnyRole, PERMISSIONS, type Permission, ROLES } from './permissions.ts'

/** They change with the program only. */
const ALL: Roles = {
  items: (Object.keys(ROLES) as AnyRole[]).map((name) => {
    const { on, says, may } = ROLES[name]
    return { name, on: [...on], says, permissions: [...may] }
  }),
  permissions: (Object.keys(PERMISSIONS) as Permission[]).map((name) => ({ name, ...PERMISSIONS[name] })),
}

export const roleRoutes: Routes = async (http) => {
  http.get(
    '/v1/roles',
    {
      schema: { summary: 'The roles, where each can be given and what it allows', tags: ['people'], response: { 200: Roles } },
      config: { needs: 'caller' },
    },
    () => ALL,
  )
}

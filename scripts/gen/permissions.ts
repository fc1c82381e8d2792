/** docs/reference/permissions.md from the lists of roles and permissions, and from what each route of the service says it needs. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import type { RouteFacts } from '@postern/service/http/doors.ts'
import { type AnyRole, PERMISSIONS, type Permission, ROLES } from '@postern/service/people/permissions.ts'
import { buildService } from '@postern/service/service.ts'
import { table } from './markdown.ts'

const NAMES = Object.keys(ROLES) as readonly AnyRole[]
const WHAT = { gateway: 'the gateway of the path', store: 'the store of the path', inside: 'what it is about' } as const

export async function permissionsPage(): Promise<string> {
  const routes = await buildService({ data: join(tmpdir(), 'postern-nowhere'), log: silentLog }).http.routes()
  const roles = NAMES.map((name) => [`\`${name}\``, ROLES[name].on.join(', '), ROLES[name].says])
  const allowed = (Object.entries(PERMISSIONS) as [Permission, { readonly says: string }][]).map(([permission, { says }]) => [
    `\`${permission}\``,
    says,
    NAMES.filter((name) => ROLES[name].may.has(permission))
      .map((name) => `\`${name}\``)
      .join(', '),
  ])
  const paths = routes
    .filter(({ needs }) => needs !== 'node')
    .toSorted((a, b) => a.url.localeCompare(b.url, 'en') || a.method.localeCompare(b.method, 'en'))
    .map((route) => [`\`${route.method} ${pathOf(route.url)}\``, needsOf(route), route.summary])
  return `# Roles and permissions

Made by \`npm run gen\` from the code. What roles are for says [people and rights](../rights.md).

## Roles

${table(['role', 'is given on', 'allows'], roles)}
Of people and tokens themselves: \`none\`, \`reader\`, \`user\`, \`operator\`, \`administrator\`, each of which allows what those before it do.

## Permissions

What is given on a gateway holds on each of its stores.

${table(['permission', 'allows', 'in the roles'], allowed)}
## Routes

"What it is about": the gateway or store that the body names, the stores of a run, query or connection, and of lists each entry: they show what
may be seen. What may not be seen is answered as what is not there (404); what may be seen and not done, with \`NOT_ALLOWED\` (403). The calls
of nodes (\`/v1/node/...\`) need the signature of the node.

${table(['route', 'needs', 'does'], paths)}`
}

const pathOf = (url: string): string => url.replace(/:(\w+)/g, '{$1}')

function needsOf({ needs, on }: RouteFacts): string {
  if (needs === 'none') return 'nothing'
  if (needs === 'caller') return 'a token or a sign-in'
  return `\`${needs}\` on ${on ? WHAT[on] : 'the service'}`
}

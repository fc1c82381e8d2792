import { Anchor } from '@mantine/core'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { Link } from '@tanstack/react-router'
import { Facts } from '../parts/facts.tsx'
import { moment } from '../parts/figures.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { useKinds } from './kinds.ts'

/** What a store is; its secrets by their names only. */
export function StoreFacts({ store }: { readonly store: StoreView }) {
  const kinds = useKinds()
  const properties = kinds.find(store.kind)?.config.properties ?? {}
  const labels = Object.entries(store.nodeLabels).map(([name, value]) => `${name}=${value}`)
  const gateway = (
    <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: store.gateway }} {...props} />}>
      {store.gateway}
    </Anchor>
  )
  const { may, mayAnywhere } = useRights()
  const mayQuery = may('stores:query', `store/${store.name}`, `gateway/${store.gateway}`)
  return (
    <Facts
      facts={[
        ['Gateway', gateway],
        ['Nodes that answer for it', labels.length === 0 ? 'every node of the gateway' : `those with ${labels.join(', ')}`],
        ['Secrets', store.secrets.length === 0 ? 'none' : `sealed: ${store.secrets.join(', ')}`],
        ['Changed', `${moment(store.updatedAt)}, version ${store.version}`],
        ...(mayQuery ? [['Queries', <LogLink key="log" store={store.name} />] as const] : []),
        ...(mayAnywhere('grants:read') ? [['Who may use it', <GrantsLink key="grants" store={store.name} />] as const] : []),
        ...Object.entries(store.settings).map(([name, value]) => [properties[name]?.title ?? name, shown(value)] as const),
      ]}
    />
  )
}

function LogLink({ store }: { readonly store: string }) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/queries/log" search={{ store }} {...props} />}>
      Log of its queries
    </Anchor>
  )
}

function GrantsLink({ store }: { readonly store: string }) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/grants" search={{ on: `store/${store}` }} {...props} />}>
      Roles on this store
    </Anchor>
  )
}

const LONGEST = 120
const shown = (value: string | number | boolean) => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text = String(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRights } from '../sign-in/use-rights.ts'

/** `person/ann`, `group/analysts`, `token/ci`: to its page, for who may see that. */
export function PrincipalLink({ who }: { readonly who: string }) {
  const { may } = useRights()
  const [kind, ...rest] = who.split('/')
  const name = rest.join('/')
  const told = kind === 'person' ? name : `${kind} ${name}`
  if (kind === 'token') return (
      <Anchor {...size} renderRoot={(props) => <Link to="/tokens" search={{ find: name }} {...props} />}>
        {told}
      </Anchor>
    )
  if (!may('people:read')) return <Text {...size}>{told}</Text>
  if (kind === 'group')
    return (
      <Anchor {...size} renderRoot={(props) => <Link to="/groups/$group" params={{ group: name }} {...props} />}>
        {told}
      </Anchor>
    )
  return (
      <Anchor {...size} renderRoot={(props) => <Link to="/people/$person" params={{ person: name }} {...props} />}>
        {told}
      </Anchor>
    )
}

/** `service`, `gateway/demo`, `store/shop` */
export function PlaceLink({ on }: { readonly on: string }) {
  const [kind, name = ''] = on.split('/')
  if (kind === 'gateway')
    return (
      <Anchor {...size} renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: name }} {...props} />}>
        gateway {name}
      </Anchor>
    )
  if (kind === 'store')
    return (
      <Anchor {...size} renderRoot={(props) => <Link to="/stores/$store" params={{ store: name }} {...props} />}>
        store {name}
      </Anchor>
    )
  return <Text {...size}>the whole service</Text>
}

const size = { size: 'sm' } as const

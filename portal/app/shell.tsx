import { ActionIcon, AppShell, Burger, Group, Menu, NavLink, Text } from '@mantine/core'
import { useDisclosure, useDocumentTitle } from '@mantine/hooks'
import type { PermissionName } from '@postern/protocol/api/rights.ts'
import { useMutation } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { Arch } from '../parts/arch.tsx'
import { SchemeSwitch } from '../parts/scheme-switch.tsx'
import { useMe, useRights } from '../sign-in/use-rights.ts'
import { api, queryClient } from './client.ts'
import { titleOf } from './page-title.ts'
import { PlaceIcon, type PlaceIconName } from './place-icon.tsx'
import classes from './shell.module.css'

const MAIN = 'main'

interface Place {
  readonly to: string
  readonly label: string
  readonly icon: PlaceIconName
  /** Other pages that belong to it. */
  readonly under?: RegExp
  /** Not offered to who may do it nowhere. */
  readonly needs?: PermissionName
}

const PLACES = [
  { to: '/gateways', label: 'Gateways', icon: 'gateway' },
  { to: '/stores', label: 'Stores', icon: 'store' },
  { to: '/queries', label: 'Queries', icon: 'query' },
  { to: '/copies/new', label: 'Copy', icon: 'copy', needs: 'runs:write' },
  { to: '/runs', label: 'Runs', icon: 'run' },
  { to: '/people', label: 'People', icon: 'people', under: /^\/(people|groups|grants|tokens|providers)\b/ },
  { to: '/audit', label: 'Audit', icon: 'audit', needs: 'audit:read' },
] as const satisfies readonly Place[]

/** Navigation at the left, the page at the right; on a phone the navigation opens over it. */
export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false)
  const { mayAnywhere } = useRights()
  const path = useRouterState({ select: (state) => state.location.pathname })
  useDocumentTitle(titleOf(path))
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !open } }} padding="md">
      <AppShell.Header px="md">
        <SkipLink />
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <Arch />
            <Text fw={600}>Postern</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <SchemeSwitch />
            <Me />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Main">
        {PLACES.filter((place) => !('needs' in place) || mayAnywhere(place.needs)).map((place) => (
          <NavLink
            key={place.to}
            component={Link}
            to={place.to}
            label={place.label}
            leftSection={<PlaceIcon name={place.icon} />}
            active={'under' in place ? place.under.test(path) : path.startsWith(place.to)}
            onClick={close}
            py={6}
            bdrs="sm"
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id={MAIN} tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}

/** Seen by who comes to it by keyboard: past the navigation at once. */
function SkipLink() {
  return (
    <button type="button" className={classes['skip']} onClick={() => document.getElementById(MAIN)?.focus()}>
      Skip to the page
    </button>
  )
}

function Me() {
  const data = useMe()
  const signOut = useMutation({
    mutationFn: () => api.signIn.end(),
    onSettled: () => queryClient.clear(),
    onSuccess: () => location.assign('/'),
  })
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="light" radius="xl" size="lg" aria-label={`Signed in as ${data?.name ?? ''}`}>
          <Text size="sm" fw={600}>
            {data?.name.slice(0, 1).toUpperCase()}
          </Text>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {data?.name} · {data?.role}
        </Menu.Label>
        <Menu.Item renderRoot={(props) => <Link to="/account" {...props} />}>Your account</Menu.Item>
        <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

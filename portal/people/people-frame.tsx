import { Group, Stack, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { PlaceTabs, tabClass } from '../parts/place-tabs.tsx'
import { useRights } from '../sign-in/use-rights.ts'

const TABS = [
  { to: '/people', label: 'People', needs: 'people:read' },
  { to: '/groups', label: 'Groups', needs: 'people:read' },
  { to: '/grants', label: 'Roles given', needs: undefined },
  { to: '/tokens', label: 'Tokens', needs: undefined },
  { to: '/providers', label: 'Sign-in', needs: 'people:read' },
] as const

/** The pages about who may come and what they may do; those that would only refuse are left out. */
export function PeopleFrame({
  title,
  actions,
  children,
}: {
  readonly title: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  const { may } = useRights()
  return (
    <Stack gap="md">
      <PlaceTabs label="People and access">
        {TABS.filter(({ needs }) => needs === undefined || may(needs)).map(({ to, label }) => (
          <Link key={to} to={to} className={tabClass}>
            {label}
          </Link>
        ))}
      </PlaceTabs>
      <Group justify="space-between">
        <Title order={1}>{title}</Title>
        <Group gap="xs">{actions}</Group>
      </Group>
      {children}
    </Stack>
  )
}

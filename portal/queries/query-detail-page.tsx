import { Anchor, Breadcrumbs, Code, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api, KEYS } from '../app/client.ts'
import { moment } from '../parts/figures.ts'
import { HowItRan } from './how-it-ran.tsx'

const route = getRouteApi('/queries/log/$query')

/** One query of the log, whole. */
export function QueryDetailPage(): ReactNode {
  const { query: id } = route.useParams()
  const { data } = useQuery({ queryKey: KEYS.query(id), queryFn: ({ signal }) => api.queries.get(id, signal) })
  return (
    <Stack gap="md">
      <Breadcrumbs>
        <Anchor component={Link} to="/queries" size="sm">
          Queries
        </Anchor>
        <Anchor component={Link} to="/queries/log" size="sm">
          Log
        </Anchor>
        <Text size="sm">{id}</Text>
      </Breadcrumbs>
      <Title order={1}>{data ? `Query of ${data.store}` : 'Query'}</Title>
      {data && (
        <Group gap="lg">
          <Text size="sm">by {data.caller}</Text>
          <Text size="sm">{moment(data.startedAt)}</Text>
          <Anchor size="sm" renderRoot={(props) => <Link to="/stores/$store" params={{ store: data.store }} {...props} />}>
            Store {data.store}
          </Anchor>
          <Anchor
            size="sm"
            renderRoot={(props) => <Link to="/queries" search={{ store: data.store, sql: data.sql ?? undefined }} {...props} />}
          >
            {data.sql === null ? 'Query the store' : 'Ask again'}
          </Anchor>
        </Group>
      )}
      {data?.sql && (
        <Code block mah={320} style={{ overflow: 'auto', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {data.sql}
        </Code>
      )}
      {data && data.sql === null && (
        <Text size="sm" c="dimmed">
          The text of statements is kept only while the gateway&apos;s setting keepSqlText is on.
        </Text>
      )}
      <HowItRan id={id} />
    </Stack>
  )
}

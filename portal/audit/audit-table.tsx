import { Anchor, Code, Stack, Table, Text, UnstyledButton } from '@mantine/core'
import type { AuditView } from '@postern/protocol/api/audit.ts'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import { Facts } from '../parts/facts.tsx'
import { moment, shortMoment } from '../parts/figures.ts'
import { StatusMark } from '../parts/status-mark.tsx'
import { useRights } from '../sign-in/use-rights.ts'
import { detailsOf, pageOf } from './audit-words.ts'

const route = getRouteApi('/audit')
const COLUMNS = 6

export function AuditTable({ records }: { readonly records: readonly AuditView[] }) {
  const { row } = route.useSearch()
  return (
    <Table.ScrollContainer minWidth="min-content">
      <Table highlightOnHover horizontalSpacing={8}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th visibleFrom="sm">Who</Table.Th>
            <Table.Th>Did</Table.Th>
            <Table.Th visibleFrom="sm">On</Table.Th>
            <Table.Th>Outcome</Table.Th>
            <Table.Th visibleFrom="sm">From</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {records.map((record) => (
            <Record key={record.id} record={record} open={row === String(record.id)} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Record({ record, open }: { readonly record: AuditView; readonly open: boolean }) {
  const navigate = route.useNavigate()
  const { id, at, who, action, target, outcome, ip } = record
  const toggle = () =>
    void navigate({ search: (search) => ({ ...search, row: open ? undefined : String(id) }), replace: true, resetScroll: false })
  return (
    <>
      <Table.Tr>
        <Table.Td>
          <UnstyledButton onClick={toggle} aria-expanded={open} fz="sm" c="var(--mantine-color-anchor)" style={{ whiteSpace: 'nowrap' }}>
            <Text span size="sm" visibleFrom="sm">
              {moment(at)}
            </Text>
            <Text span size="sm" hiddenFrom="sm">
              {shortMoment(at)}
            </Text>
          </UnstyledButton>
          <Text size="xs" c="dimmed" hiddenFrom="sm">
            {who}
          </Text>
        </Table.Td>
        <Table.Td visibleFrom="sm">{who}</Table.Td>
        <Table.Td style={{ overflowWrap: 'break-word' }}>
          <Breakable text={action} />
          <Text size="xs" c="dimmed" hiddenFrom="sm">
            {target}
          </Text>
        </Table.Td>
        <Table.Td visibleFrom="sm" style={{ overflowWrap: 'break-word' }}>
          {target}
        </Table.Td>
        <Table.Td>
          <StatusMark status={outcome} />
        </Table.Td>
        <Table.Td visibleFrom="sm">{ip ?? ''}</Table.Td>
      </Table.Tr>
      {open && (
        <Table.Tr bg="var(--mantine-color-default-hover)">
          <Table.Td colSpan={COLUMNS}>
            <Details record={record} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  )
}

/** Long names of actions go on in the next line behind their dot. */
const Breakable = ({ text }: { readonly text: string }) =>
  text.split('.').map((part, at) => (
    <Fragment key={part}>
      {at > 0 && (
        <>
          .<wbr />
        </>
      )}
      {part}
    </Fragment>
  ))

/** The whole record, and the ways from it to more like it. */
function Details({ record }: { readonly record: AuditView }) {
  const { may } = useRights()
  const { who, whoId, target, id, ip } = record
  const page = pageOf(target, may('people:read'))
  return (
    <Stack gap="sm" py={4}>
      <Facts
        facts={[
          ...detailsOf(record).map(
            ([name, value]) =>
              [
                name,
                value.length > 80 ? (
                  <Code key={name} block>
                    {value}
                  </Code>
                ) : (
                  value
                ),
              ] as const,
          ),
          ['From', ip ?? 'not known'],
          ['Id of who', whoId ?? 'none'],
          ['Record', String(id)],
        ]}
      />
      <Text size="sm" component="div">
        <Anchor size="sm" mr="md" renderRoot={(props) => <Link to="/audit" search={{ who }} {...props} />}>
          All that {who} did
        </Anchor>
        {target !== '' && (
          <Anchor size="sm" mr="md" renderRoot={(props) => <Link to="/audit" search={{ target }} {...props} />}>
            All on {target}
          </Anchor>
        )}
        {page && (
          <Anchor size="sm" renderRoot={(props) => <Link to={page} {...props} />}>
            Go to {target}
          </Anchor>
        )}
      </Text>
    </Stack>
  )
}

// How a client in TypeScript uses what openapi-typescript makes of openapi.json. It compiles only if the types are right.
import type { components, operations } from './api';

type Schemas = components['schemas'];

// What has a default need not be sent.
export const message: Schemas['SendMessageBody'] = { content: 'Hello' };
export const direct: Schemas['SendDirectMessageBody'] = { receiver_id: '22222222-2222-4222-8222-222222222222', content: 'Hello' };
export const grant: Schemas['GrantCreditsBody'] = { amount: 10, reason: 'a present', client_reference: 'present-1' };

// An event is told apart by its type.
export function describe(event: Schemas['ConversationEvent']): string {
  switch (event.type) {
    case 'new_message':
      return event.message.content ?? 'deleted';
    case 'message_read':
      return event.read_at;
    case 'message_status':
      return event.status;
    case 'conversation_created':
      return event.conversation.id;
    case 'message_deleted':
    case 'message_moderated':
      return event.message_id;
    default: {
      const nothing: never = event;
      return nothing;
    }
  }
}

// Answers have types.
type Answer<O extends keyof operations, S extends keyof operations[O]['responses']> =
  operations[O]['responses'][S] extends { content: { 'application/json': infer T } } ? T : never;
export const opened = (answer: Answer<'open_direct_conversation_v1', 201>): string => answer.data.id;
export const events = (answer: Answer<'sync_events', 200>): string[] => answer.events.map(describe);

export * from './line';
export * from './machine';

import { gql } from 'graphql-tag';

export const q = gql`{ a }`;

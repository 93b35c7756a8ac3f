import { FaBeer } from 'react-icons/fa';

export const App = () => <FaBeer size={3} />;

export const App = () => <p>hello</p>;

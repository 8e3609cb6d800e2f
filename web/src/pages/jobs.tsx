export default function Jobs() {
  return (
    <div class="page">
      <h1>Jobs</h1>
    </div>
  );
}

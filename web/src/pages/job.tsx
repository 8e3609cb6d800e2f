export default function Job() {
  return (
    <div class="page">
      <h1>Job</h1>
    </div>
  );
}
